#include "replication/pulled.hpp"

#include <algorithm>
#include <utility>

#include "entrepot/async/together.hpp"
#include "entrepot/base/units.hpp"
#include "entrepot/index/notes.hpp"
#include "replication/questions.hpp"

namespace entrepot::replication {

namespace {

constexpr std::size_t rows_at_once = 256;

struct Held {
  oci::RepositoryName upstream_name;
  oci::RepositoryName canonical;
  oci::Tag tag;
  oci::Digest digest;
};

std::string scope_of(const Errand& errand) { return "replication warmed " + errand.name(); }
std::string key_of(const oci::RepositoryName& canonical, const oci::Tag& tag) {
  return canonical.text() + " " + tag.text();
}
std::string text_of(base::WallTime time) { return std::to_string(time.time_since_epoch().count()); }

// When somebody asked for it: what this rule confirmed itself does not count.
base::WallTime pulled_at(const index::View& view, const Errand& errand,
                         const oci::RepositoryName& canonical, const oci::Tag& tag,
                         const index::TagRecord& record) {
  const auto note = index::note(view, scope_of(errand), key_of(canonical, tag));
  if (!note) return record.checked;
  const auto blank = note->find(' ');
  if (blank == note->npos || note->substr(0, blank) != text_of(record.checked)) {
    return record.checked;
  }
  const auto time = base::parse_unsigned(std::string_view(*note).substr(blank + 1)).value_or(0);
  return base::WallTime(base::Milliseconds(time));
}

std::vector<oci::RepositoryName> mirrored(const index::View& view, const Errand& errand,
                                          const std::string& after) {
  const std::vector<std::string> upstreams{errand.rule->rule().from};
  return index::repositories(view, upstreams, after, rows_at_once);
}

// "hub/library/alpine" of upstream "hub" is "library/alpine" there; absent for any other.
std::optional<oci::RepositoryName> upstream_name(const Errand& errand,
                                                 const oci::RepositoryName& canonical) {
  const auto start = errand.rule->rule().from + "/";
  if (!canonical.text().starts_with(start)) return std::nullopt;
  auto name = oci::RepositoryName::parse(canonical.text().substr(start.size()));
  return name && errand.rule->covers(*name) ? name : std::nullopt;
}

void add_tags(const index::View& view, const Errand& errand, const oci::RepositoryName& canonical,
              const oci::RepositoryName& name, std::vector<Held>& held) {
  if (index::repository_kind(view, canonical) != index::RepositoryKind::mirrored) return;
  const auto since = errand.now() - errand.rule->rule().pulled_within->time;
  for (std::string after;;) {
    const auto tags = index::tags(view, canonical, after, rows_at_once);
    for (const auto& tag : errand.rule->choose(tags)) {
      const auto record = index::tag(view, canonical, tag);
      if (!record || pulled_at(view, errand, canonical, tag, *record) < since) continue;
      held.push_back({name, canonical, tag, record->digest});
    }
    if (tags.size() < rows_at_once) return;
    after = tags.back().text();
  }
}

async::Task<std::vector<Held>> pulled_lately(SharedErrand errand, std::uint64_t& repositories) {
  std::vector<Held> held;
  for (std::string after;;) {
    const auto page = co_await errand->house.index.read(
        [&](const index::View& view) { return mirrored(view, *errand, after); });
    for (const auto& canonical : page) {
      const auto name = upstream_name(*errand, canonical);
      if (!name) continue;
      ++repositories;
      co_await errand->house.index.read(
          [&](const index::View& view) { add_tags(view, *errand, canonical, *name, held); });
      co_await async::give_way();
    }
    if (page.size() < rows_at_once) co_return held;
    after = page.back().text();
  }
}

bool selected(const std::optional<Selection>& selection, const Held& held) {
  if (!selection) return true;
  const auto found = selection->find(held.upstream_name);
  return found != selection->end() && found->second.contains(held.tag.text());
}

// Remembers, before the fetch confirms it anew, when the tag was pulled.
async::Task<base::WallTime> when_pulled(SharedErrand errand, oci::RepositoryName canonical,
                                        oci::Tag tag) {
  co_return co_await errand->house.index.read([&](const index::View& view) {
    const auto record = index::tag(view, canonical, tag);
    return record ? pulled_at(view, *errand, canonical, tag, *record) : base::WallTime{};
  });
}

async::Task<> note_warmed(SharedErrand errand, oci::RepositoryName canonical, oci::Tag tag,
                          base::WallTime pulled) {
  co_await errand->house.index.write([&](index::Batch& batch) {
    const auto record = index::tag(batch, canonical, tag);
    if (!record) return;
    index::set_note(batch, scope_of(*errand), key_of(canonical, tag),
                    text_of(record->checked) + " " + text_of(pulled));
  });
}

}  // namespace

async::Task<Plan> plan_pulled(SharedErrand errand, std::optional<Selection> selection) {
  Plan plan;
  auto held = co_await pulled_lately(errand, plan.repositories);
  std::erase_if(held, [&selection](const Held& one) { return !selected(selection, one); });
  std::vector<Named> names;
  names.reserve(held.size());
  for (const auto& one : held) names.push_back({one.upstream_name, oci::Reference(one.tag)});
  const auto answers = co_await standings(errand, Side::source, std::move(names));
  plan.tags = held.size();
  for (std::size_t i = 0; i < held.size(); ++i) {
    auto& one = held[i];
    if (!answers[i]) {
      plan.troubles.push_back({{one.upstream_name, one.tag.text()}, answers[i].error()});
    } else if (answers[i]->digest && *answers[i]->digest != one.digest) {
      plan.images.push_back({.from = one.upstream_name,
                             .to = one.canonical,
                             .digest = *answers[i]->digest,
                             .tags = {one.tag}});
    }
  }
  co_return plan;
}

async::Task<registry::Answer<registry::CopyTally>> warm(SharedErrand errand, Image image) {
  registry::CopyTally tally;
  for (const auto& tag : image.tags) {
    const auto pulled = co_await when_pulled(errand, image.to, tag);
    auto answer = co_await errand->from.warm(image.from, tag);
    if (!answer) co_return answer;
    co_await note_warmed(errand, image.to, tag, pulled);
    errand->house.metrics.replication_bytes(errand->name(), answer->bytes);
    tally += *answer;
  }
  errand->board.change([&tally](RuleStatus& status) { status.total += tally; });
  co_return tally;
}

}  // namespace entrepot::replication
