#include "replication/run.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "entrepot/base/backoff.hpp"
#include "replication/crew.hpp"
#include "replication/pulled.hpp"
#include "replication/questions.hpp"
#include "replication/removals.hpp"
#include "replication/removing.hpp"
#include "replication/settlement.hpp"

namespace entrepot::replication {

namespace {

using registry::Answer;
using registry::CopyTally;
using registry::Failure;
using registry::FailureKind;

constexpr std::size_t images_at_once = 4;
constexpr int most_rests = 5;
// So many in a row that could not be reached: then it is the line, and not the items.
constexpr int enough_silence = 8;

Blame blame_of(FailureKind kind) { return is_silence(kind) ? Blame::line : Blame::item; }

class Run {
 public:
  Run(SharedErrand errand, RunOrder order) : errand_(std::move(errand)), order_(std::move(order)) {}

  async::Task<RunResult> real();
  async::Task<RunResult> dry();

 private:
  async::Task<> plan();
  async::Task<> copy_image(std::size_t place);
  async::Task<Answer<CopyTally>> move(Image image);
  async::Task<> copied(Image image, CopyTally tally);
  async::Task<> settle_rows(Image image);
  async::Task<> failed(Image image, Failure failure);
  void heard();
  void heard_nothing();
  async::Task<> weigh_image(std::size_t place);
  async::Task<> remove(Removal removal);
  async::Task<> look_at_referrers(std::size_t place);
  async::Task<> record_troubles();
  async::Task<> settle();
  bool was_looked_at(const ItemName& item) const;
  async::Task<> leave_alone_what_waits();

  bool called_off() const;
  void tell(const ItemName& item, const char* outcome) const;
  void moved(std::uint64_t bytes);
  void note_error(const std::string& sentence);
  void count_image();

  const SharedErrand errand_;
  const RunOrder order_;
  Plan plan_;
  RunResult result_;
  std::uint64_t bytes_ = 0;
  std::uint64_t images_done_ = 0;
  int silence_ = 0;  // failures in a row
  std::vector<ItemName> put_off_;
  const std::shared_ptr<registry::Sightings> counted_ =
      std::make_shared<registry::Sightings>();  // of a dry run
  std::set<ItemName> waits_;  // what this run leaves on the waiting list, or puts there
};

bool Run::called_off() const {
  return errand_->stopping || errand_->now() >= order_.until ||
         (order_.listener.stop && order_.listener.stop());
}

void Run::tell(const ItemName& item, const char* outcome) const {
  if (order_.trial == Trial::real)
    errand_->house.metrics.replication_item(errand_->name(), outcome);
  if (order_.listener.item) {
    order_.listener.item(item.repository.text(), item.reference, outcome);
  }
}

void Run::moved(std::uint64_t bytes) {
  bytes_ += bytes;
  if (order_.listener.bytes) order_.listener.bytes(bytes_, 0);
}

void Run::note_error(const std::string& sentence) {
  if (result_.error.empty()) result_.error = sentence;
}

void Run::count_image() {
  ++images_done_;
  if (order_.listener.images) order_.listener.images(images_done_, plan_.images.size());
}

async::Task<> Run::plan() {
  plan_ = errand_->rule->rule().pulled_within
              ? co_await plan_pulled(errand_, order_.selection)
              : co_await make_plan(errand_, order_.selection, order_.origin);
  result_.report.repositories = plan_.repositories;
  result_.report.tags = plan_.tags;
  for (const auto& item : plan_.conflicts) tell(item, "conflict");
  if (!plan_.refused.empty()) note_error(plan_.refused);
}

// ---- a dry run --------------------------------------------------------------------------------

async::Task<> Run::weigh_image(std::size_t place) {
  if (called_off()) co_return;
  const auto image = plan_.images[place];
  const auto answer = co_await weigh(errand_, image, counted_);
  count_image();
  if (answer) {
    result_.report.copied += *answer;
    result_.report.changed += items_of(image).size();
    for (const auto& item : items_of(image)) tell(item, "copy");
  } else {
    ++result_.report.failed;
    note_error(answer.error().message);
    for (const auto& item : items_of(image)) tell(item, "failed");
  }
}

async::Task<RunResult> Run::dry() {
  co_await plan();
  const auto work = [this](std::size_t place) { return weigh_image(place); };
  co_await side_by_side(plan_.images.size(), images_at_once, work);
  for (const auto& removal : plan_.removals) tell(removal.item, "remove");
  for (const auto& trouble : plan_.troubles) {
    tell(trouble.item, "failed");
    note_error(trouble.failure.message);
  }
  result_.report.removed = plan_.removals.size();
  result_.report.failed += plan_.troubles.size();
  co_return std::move(result_);
}

// ---- a real one -------------------------------------------------------------------------------

async::Task<Answer<CopyTally>> Run::move(Image image) {
  // They are settled when it is here.
  if (errand_->rule->follows()) image.tags.clear();
  Failure resting{.kind = FailureKind::throttled, .message = "asked to be left alone for a while"};
  for (int i = 0; i < most_rests; ++i) {
    if (!co_await sit_out_rest(errand_)) break;
    auto answer = errand_->rule->rule().pulled_within
                      ? co_await warm(errand_, image)
                      : co_await carry(
                            errand_, image, [this](std::uint64_t bytes) { moved(bytes); },
                            [this] { return called_off(); });
    if (answer || answer.error().kind != FailureKind::throttled) co_return answer;
    resting = answer.error();
  }
  co_return std::unexpected(std::move(resting));
}

async::Task<> Run::copy_image(std::size_t place) {
  if (result_.called_off || called_off()) {
    result_.called_off = true;
    co_return;
  }
  const auto image = plan_.images[place];
  if (silence_ >= enough_silence) {
    for (auto& item : items_of(image)) put_off_.push_back(std::move(item));
    co_return;
  }
  std::optional<Answer<CopyTally>> answer;
  try {
    answer = co_await move(image);
  } catch (const CalledOff&) {
    result_.called_off = true;
    co_return;
  }
  count_image();
  if (*answer) {
    co_await copied(image, **answer);
  } else {
    co_await failed(image, answer->error());
  }
}

void Run::heard() {
  silence_ = 0;
  errand_->silent_runs = 0;
  const auto& rule = errand_->rule->rule();
  for (const auto& place : {rule.from, rule.to}) errand_->reach->heard(place);
}

// Who of the two it was is not known. Who follows asks more often than runs do, and knows better.
void Run::heard_nothing() {
  if (++silence_ < enough_silence || errand_->rule->follows()) return;
  const auto& rule = errand_->rule->rule();
  for (const auto& place : {rule.from, rule.to}) {
    if (place != here) errand_->reach->lost(place);
  }
}

async::Task<> Run::copied(Image image, CopyTally tally) {
  heard();
  result_.report.copied += tally;
  if (errand_->rule->follows()) {
    co_await settle_rows(std::move(image));
    co_return;
  }
  const auto items = items_of(image);
  result_.report.changed += items.size();
  co_await note_brought(errand_, image);
  co_await errand_->waiting.done(items);
  for (const auto& item : items) tell(item, "copied");
}

// Of a rule that follows: what is here becomes what the peer's rows say, as it does when the feed
// tells them, with their versions and by the rule's word on conflicts.
async::Task<> Run::settle_rows(Image image) {
  for (const auto& change : image.changes) {
    const auto settled = co_await settle_alone(errand_, change);
    auto one = image;
    one.tags.clear();
    if (change.tag) one.tags = {*change.tag};
    if (!settled) {
      co_await failed(std::move(one), settled.error());
      continue;
    }
    const auto items = items_of(one);
    const bool stays = *settled == Settled::conflict;
    if (!stays) ++result_.report.changed;
    co_await errand_->waiting.done(items);
    tell(items.front(), stays ? "conflict" : "copied");
  }
}

async::Task<> Run::failed(Image image, Failure failure) {
  if (is_silence(failure.kind)) {
    heard_nothing();
  } else {
    silence_ = 0;
  }
  for (const auto& item : items_of(image)) {
    waits_.insert(item);
    if (failure.kind == FailureKind::throttled) {
      put_off_.push_back(item);
      continue;
    }
    ++result_.report.failed;
    note_error(item.repository.text() + " " + item.reference + ": " + failure.message);
    co_await errand_->waiting.failed(item, failure.message, errand_->now(), blame_of(failure.kind));
    tell(item, "failed");
  }
}

async::Task<> Run::remove(Removal removal) {
  const auto answer = co_await take_away(errand_, removal);
  if (!answer) {
    ++result_.report.failed;
    note_error("removing " + removal.repository.text() + ":" + removal.tag.text() + ": " +
               answer.error().message);
    tell(removal.item, "failed");
    co_return;
  }
  if (*answer == Fate::wanted) co_return;
  co_await forget_brought(errand_, removal);
  if (*answer == Fate::changed) tell(removal.item, "conflict");
  if (*answer != Fate::removed) co_return;
  ++result_.report.removed;
  tell(removal.item, "removed");
}

// Signatures may have come after their image, which itself is as it was.
async::Task<> Run::look_at_referrers(std::size_t place) {
  if (called_off()) co_return;
  try {
    const auto answer = co_await move(plan_.held[place]);
    if (answer) result_.report.copied += *answer;
  } catch (const CalledOff&) {
    result_.called_off = true;
  }
}

// What waits for its own time is not tried by a trigger.
async::Task<> Run::leave_alone_what_waits() {
  if (order_.origin == Origin::hand || order_.selection) co_return;
  const auto waiting = co_await errand_->waiting.items();
  const auto now = errand_->now();
  const auto not_yet = [&](const Image& image) {
    return std::ranges::any_of(items_of(image), [&](const ItemName& item) {
      const auto found = waiting.find(item);
      return found != waiting.end() && found->second.next_try > now;
    });
  };
  for (const auto& image : plan_.images) {
    if (!not_yet(image)) continue;
    for (auto& item : items_of(image)) waits_.insert(std::move(item));
  }
  std::erase_if(plan_.images, not_yet);
}

async::Task<> Run::record_troubles() {
  for (const auto& [item, failure] : plan_.troubles) {
    waits_.insert(item);
    note_error(item.repository.text() + " " + item.reference + ": " + failure.message);
    if (failure.kind == FailureKind::throttled) {
      put_off_.push_back(item);
      continue;
    }
    ++result_.report.failed;
    co_await errand_->waiting.failed(item, failure.message, errand_->now(), blame_of(failure.kind));
    tell(item, "failed");
  }
}

// A run over everything goes by lists of tags: it sees no manifest that waits by its digest, and
// nothing of a repository that could not be listed.
bool Run::was_looked_at(const ItemName& item) const {
  if (const auto& selection = order_.selection) {
    const auto chosen = selection->find(item.repository);
    return chosen != selection->end() && chosen->second.contains(item.reference);
  }
  return !item.reference.contains(':') && !waits_.contains({item.repository, ""});
}

// What was waiting and is in no trouble any more needs no further try.
async::Task<> Run::settle() {
  if (!put_off_.empty()) {
    const auto blame = silence_ >= enough_silence ? Blame::line : Blame::item;
    if (blame == Blame::line) ++errand_->silent_runs;
    const auto pause = patience_after(errand_->silent_runs, base::draw_jitter(), blame);
    const auto rest = std::max(resting_until(*errand_), errand_->now() + pause);
    waits_.insert(put_off_.begin(), put_off_.end());
    result_.report.put_off = put_off_.size();
    for (const auto& item : put_off_) tell(item, "postponed");
    note_error(std::to_string(put_off_.size()) + " items are put off: the other side rests");
    co_await errand_->waiting.postponed(put_off_, "put off: the other side rests", rest, blame);
  }
  if (result_.called_off) co_return;
  std::vector<ItemName> settled;
  for (const auto& [item, waiting] : co_await errand_->waiting.items()) {
    if (was_looked_at(item) && !waits_.contains(item)) settled.push_back(item);
  }
  co_await errand_->waiting.done(std::move(settled));
}

async::Task<RunResult> Run::real() {
  co_await plan();
  co_await leave_alone_what_waits();
  co_await record_troubles();
  const auto copy = [this](std::size_t place) { return copy_image(place); };
  co_await side_by_side(plan_.images.size(), images_at_once, copy);
  const auto look = [this](std::size_t place) { return look_at_referrers(place); };
  co_await side_by_side(plan_.held.size(), images_at_once, look);
  if (plan_.looks_for_referrers && !result_.called_off) errand_->referrers_seen = errand_->now();
  for (const auto& removal : plan_.removals) {
    if (called_off()) result_.called_off = true;
    if (!result_.called_off) co_await remove(removal);
  }
  co_await settle();
  co_return std::move(result_);
}

}  // namespace

async::Task<RunResult> run(SharedErrand errand, RunOrder order) {
  const auto trial = order.trial;
  Run one(std::move(errand), std::move(order));
  if (trial == Trial::dry) co_return co_await one.dry();
  co_return co_await one.real();
}

}  // namespace entrepot::replication
