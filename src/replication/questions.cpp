#include "replication/questions.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "entrepot/async/together.hpp"
#include "entrepot/oci/refusal.hpp"
#include "replication/carry.hpp"
#include "replication/crew.hpp"
#include "replication/settlement.hpp"

namespace entrepot::replication {

namespace {

using registry::Answer;
using registry::Failure;
using registry::FailureKind;

constexpr std::size_t asked_at_once = 16;
constexpr std::size_t looked_up_at_once = 256;
constexpr std::size_t tags_a_question = 1000;
constexpr std::size_t page_length = 1000;
constexpr std::size_t most_pages = 10'000;
constexpr int most_rests = 5;
constexpr std::chrono::seconds rest_without_word(60);

Failure odd(const char* what) {
  return {.kind = FailureKind::broken, .message = std::string("answers oddly: ") + what};
}

// Our own registry never rests.
void note_rest(const Errand& errand, Side side, const Failure& failure) {
  const auto& rule = errand.rule->rule();
  const auto& place = side == Side::source ? rule.from : rule.to;
  if (place == here) return;
  errand.rests->extend(place, errand.now() + failure.retry_after.value_or(rest_without_word));
}

Side side_of(const Errand& errand, const std::shared_ptr<registry::Place>& place) {
  return place == errand.from.place ? Side::source : Side::target;
}

template <class Value>
async::Task<Answer<Value>> answered(async::Task<Answer<Value>> question) {
  try {
    co_return co_await std::move(question);
  } catch (const oci::Refusal& refusal) {
    co_return std::unexpected(registry::failure_of(refusal));
  }
}

// `ask` is called again when the answer was to come later.
template <class Value, class Ask>
async::Task<Answer<Value>> politely(SharedErrand errand, Side side, Ask ask) {
  Failure resting{.kind = FailureKind::throttled, .message = "asked to be left alone for a while"};
  for (int i = 0; i < most_rests; ++i) {
    if (!co_await sit_out_rest(errand)) break;
    auto answer = co_await answered<Value>(ask());
    if (answer || answer.error().kind != FailureKind::throttled) co_return answer;
    note_rest(*errand, side, answer.error());
    resting = answer.error();
  }
  co_return std::unexpected(std::move(resting));
}

async::Task<Answer<Standing>> head(SharedErrand errand, std::shared_ptr<registry::Place> place,
                                   Named name) {
  const auto ask = [&place, &name] { return place->resolve(name.repository, name.reference); };
  auto answer = co_await politely<registry::Resolved>(errand, side_of(*errand, place), ask);
  if (answer) co_return Standing{.digest = answer->digest};
  if (answer.error().kind == FailureKind::absent) co_return Standing{};
  co_return std::unexpected(std::move(answer.error()));
}

using Slot = std::optional<Answer<Standing>>;

async::Task<> fill(SharedErrand errand, std::shared_ptr<registry::Place> place, Named name,
                   Slot& slot) {
  slot = co_await head(std::move(errand), std::move(place), std::move(name));
}

// Those that have no answer yet.
async::Task<> ask_by_head(SharedErrand errand, std::shared_ptr<registry::Place> place,
                          const std::vector<Named>& names, std::vector<Slot>& answers) {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!answers[i]) open.push_back(i);
  }
  co_await side_by_side(open.size(), asked_at_once, [&](std::size_t turn) {
    return fill(errand, place, names[open[turn]], answers[open[turn]]);
  });
}

void read_standings(const index::View& view, std::span<const Named> names,
                    std::span<Slot> answers) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto* tag = names[i].reference.tag();
    if (tag == nullptr) continue;
    const auto record = index::tag(view, names[i].repository, *tag);
    answers[i] =
        record ? Standing{.digest = record->digest, .version = record->version} : Standing{};
  }
}

// Some at a time: a read runs on this very thread, which serves others, too.
async::Task<> ask_index(SharedErrand errand, const std::vector<Named>& names,
                        std::vector<Slot>& answers) {
  for (std::size_t begin = 0; begin < names.size(); begin += looked_up_at_once) {
    const auto count = std::min(looked_up_at_once, names.size() - begin);
    co_await errand->house.index.read([&](const index::View& view) {
      read_standings(view, std::span(names).subspan(begin, count),
                     std::span(answers).subspan(begin, count));
    });
    co_await async::give_way();
  }
}

using Places = std::map<std::pair<std::string, std::string>, std::size_t>;

// Fills in what the site's Journal knows; of the rest (mirrored repositories, an answer that
// failed) HEAD tells.
async::Task<> ask_by_feed(SharedErrand errand, std::shared_ptr<registry::Feed> feed,
                          const std::vector<Named>& names, std::vector<Slot>& answers) {
  Places places;
  for (std::size_t i = 0; i < names.size(); ++i) {
    places[{names[i].repository.text(), names[i].reference.text()}] = i;
  }
  for (auto place = places.begin(); place != places.end();) {
    std::vector<registry::TagName> tags;
    for (; place != places.end() && tags.size() < tags_a_question; ++place) {
      const auto& name = names[place->second];
      tags.push_back({name.repository, name.reference});
    }
    const auto ask = [&feed, &tags] { return feed->latest({}, tags); };
    const auto side = feed == errand->from.feed ? Side::source : Side::target;
    const auto answer = co_await politely<std::vector<index::Change>>(errand, side, ask);
    if (!answer) co_return;
    for (const auto& change : *answer) {
      const auto found = places.find({change.repository.text(), reference_of(change)});
      if (found == places.end() || !change.to) continue;
      answers[found->second] =
          Standing{.digest = change.to, .version = change.version, .change = change};
    }
  }
}

}  // namespace

async::Task<bool> sit_out_rest(SharedErrand errand) {
  for (;;) {
    const auto left = resting_until(*errand) - errand->now();
    if (left <= std::chrono::milliseconds(0)) co_return true;
    if (left > longest_rest_sat_out || errand->stopping) co_return false;
    co_await async::sleep_for(std::min<std::chrono::milliseconds>(left, std::chrono::seconds(1)));
  }
}

async::Task<Answer<std::vector<oci::RepositoryName>>> all_repositories(
    SharedErrand errand, std::shared_ptr<registry::Place> place) {
  std::vector<oci::RepositoryName> all;
  registry::Page page{.after = {}, .limit = page_length};
  for (std::size_t i = 0; i < most_pages; ++i) {
    const auto ask = [&place, &page] { return place->repositories(page); };
    auto answer = co_await politely<registry::RepositoryPage>(errand, side_of(*errand, place), ask);
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    all.insert(all.end(), answer->repositories.begin(), answer->repositories.end());
    if (answer->next.empty()) co_return all;
    if (answer->next == page.after) break;
    page.after = answer->next;
  }
  co_return std::unexpected(odd("its catalog has no end"));
}

async::Task<Answer<std::vector<oci::Tag>>> all_tags(SharedErrand errand,
                                                    std::shared_ptr<registry::Place> place,
                                                    oci::RepositoryName name) {
  std::vector<oci::Tag> all;
  registry::Page page{.after = {}, .limit = page_length};
  for (std::size_t i = 0; i < most_pages; ++i) {
    const auto ask = [&place, &name, &page] { return place->tags(name, page); };
    auto answer = co_await politely<registry::TagPage>(errand, side_of(*errand, place), ask);
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    const auto& tags = answer->tags;
    all.insert(all.end(), tags.begin(), tags.end());
    if (!answer->more) co_return all;
    if (tags.empty() || tags.back().text() == page.after) break;
    page.after = tags.back().text();
  }
  co_return std::unexpected(odd("its list of tags has no end"));
}

async::Task<std::vector<Answer<Standing>>> standings(SharedErrand errand, Side side,
                                                     std::vector<Named> names) {
  const auto& rule = errand->rule->rule();
  const bool ours = (side == Side::source ? rule.from : rule.to) == here;
  const auto& party = side == Side::source ? errand->from : errand->to;
  std::vector<Slot> answers(names.size());
  if (ours) {
    co_await ask_index(errand, names, answers);
  } else if (party.feed) {
    co_await ask_by_feed(errand, party.feed, names, answers);
  }
  co_await ask_by_head(errand, party.place, names, answers);
  std::vector<Answer<Standing>> told;
  told.reserve(answers.size());
  for (auto& answer : answers) told.push_back(std::move(*answer));
  co_return told;
}

}  // namespace entrepot::replication
