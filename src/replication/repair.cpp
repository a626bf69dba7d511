#include "replication/repair.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "entrepot/index/catalog.hpp"
#include "replication/comparison.hpp"

namespace entrepot::replication {

namespace {

using index::Change;
using registry::Answer;
using registry::SummaryItem;

std::string reference_in(const SummaryItem& item) {
  return item.tag ? item.tag->text() : item.digest.text();
}

class Repair {
 public:
  Repair(SharedErrand errand, Setbacks& setbacks, RunListener listener)
      : errand_(std::move(errand)),
        setbacks_(setbacks),
        listener_(std::move(listener)),
        walk_(source_side(*errand_), target_side(*errand_)) {}

  async::Task<Answer<Repaired>> run();

 private:
  async::Task<Answer<void>> mend(Differences part);
  // What the source says of these now.
  async::Task<Answer<std::map<ItemName, Change>>> ask(std::vector<SummaryItem> items);
  void add_theirs(const std::vector<SummaryItem>& items, const std::map<ItemName, Change>& latest);
  async::Task<> add_ours(std::vector<SummaryItem> items, std::map<ItemName, Change> latest);
  async::Task<Change> removal_of(SummaryItem item);

  const SharedErrand errand_;
  Setbacks& setbacks_;
  const RunListener listener_;
  DifferenceWalk walk_;
  WaitingList::Items waiting_;
  std::vector<Change> changes_;
  Repaired result_;
};

async::Task<Answer<Repaired>> Repair::run() {
  for (;;) {
    auto part = co_await walk_.next();
    if (!part) co_return std::unexpected(std::move(part.error()));
    if (!*part) co_return result_;
    waiting_ = co_await errand_->waiting.items();
    const auto mended = co_await mend(std::move(**part));
    if (!mended) co_return std::unexpected(mended.error());
  }
}

// A manifest that is there needs no more word than that.
std::vector<SummaryItem> tags_of(const std::vector<SummaryItem>& items) {
  std::vector<SummaryItem> tags;
  std::ranges::copy_if(items, std::back_inserter(tags),
                       [](const SummaryItem& item) { return item.tag.has_value(); });
  return tags;
}

async::Task<Answer<void>> Repair::mend(Differences part) {
  const auto waits = [this](const SummaryItem& item) {
    return waiting_.contains({item.repository, reference_in(item)});
  };
  std::erase_if(part.theirs, waits);
  std::erase_if(part.ours, waits);
  // What is only here stays, whatever the source says of it: no need to ask.
  if (errand_->rule->rule().deletions == Deletions::keep) part.ours.clear();
  result_.different += part.theirs.size() + part.ours.size();
  changes_.clear();
  const auto theirs = co_await ask(tags_of(part.theirs));
  if (!theirs) co_return std::unexpected(theirs.error());
  add_theirs(part.theirs, *theirs);
  auto ours = co_await ask(part.ours);
  if (!ours) co_return std::unexpected(std::move(ours.error()));
  co_await add_ours(std::move(part.ours), std::move(*ours));
  Delivery delivery(errand_, setbacks_, {.changes = std::move(changes_), .listener = listener_});
  auto delivered = co_await delivery.run();
  result_.report += delivered.report;
  const auto mended = delivered.report.changed + delivered.report.removed;
  errand_->board.change([mended](RuleStatus& status) { status.repaired += mended; });
  if (delivered.trouble) co_return std::unexpected(std::move(*delivered.trouble));
  co_return Answer<void>();
}

async::Task<Answer<std::map<ItemName, Change>>> Repair::ask(std::vector<SummaryItem> items) {
  std::map<ItemName, Change> latest;
  for (std::size_t at = 0; at < items.size();) {
    std::vector<registry::TagName> names;
    for (; at < items.size() && names.size() < registry::most_tags_asked; ++at) {
      const auto& [repository, tag, digest, version] = items[at];
      names.push_back(tag ? registry::TagName(repository, *tag)
                          : registry::TagName(repository, oci::Reference(digest)));
    }
    auto answer =
        co_await errand_->from.feed->latest(source_side(*errand_).scope, std::move(names));
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    for (auto& change : *answer) {
      ItemName name{change.repository, reference_of(change)};
      latest.insert_or_assign(std::move(name), std::move(change));
    }
  }
  co_return latest;
}

// A tag as the source has it by now; a manifest as it was listed.
void Repair::add_theirs(const std::vector<SummaryItem>& items,
                        const std::map<ItemName, Change>& latest) {
  for (const auto& item : items) {
    if (!item.tag) {
      changes_.push_back(
          {.repository = item.repository, .to = item.digest, .version = item.version});
      continue;
    }
    const auto found = latest.find({item.repository, item.tag->text()});
    if (found != latest.end()) changes_.push_back(found->second);
  }
}

async::Task<> Repair::add_ours(std::vector<SummaryItem> items, std::map<ItemName, Change> latest) {
  const bool exact = errand_->rule->rule().deletions == Deletions::exact;
  // A manifest is not removed while a tag points to it.
  std::ranges::partition(items, [](const SummaryItem& item) { return item.tag.has_value(); });
  for (auto& item : items) {
    const auto found = latest.find({item.repository, reference_in(item)});
    // It has come there meanwhile: the feed tells of it.
    if (found != latest.end() && found->second.to) continue;
    if (found != latest.end() && !exact) {
      changes_.push_back(found->second);
    } else if (exact) {
      changes_.push_back(co_await removal_of(std::move(item)));
    }
  }
}

async::Task<Change> Repair::removal_of(SummaryItem item) {
  Change change{.repository = item.repository,
                .tag = item.tag,
                .from = item.digest,
                .cause = index::Cause::replication,
                .who = errand_->actor()};
  const auto now = errand_->now();
  change.version.time = std::max(now, item.version.time + base::Milliseconds(1));
  change.version.site = co_await errand_->house.index.read(&index::site_id);
  co_return change;
}

}  // namespace

async::Task<Answer<Repaired>> repair(SharedErrand errand, Setbacks& setbacks,
                                     RunListener listener) {
  Repair one(std::move(errand), setbacks, std::move(listener));
  co_return co_await one.run();
}

}  // namespace entrepot::replication
