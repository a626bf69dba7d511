// Delivery: what belongs to the images of a rule that takes some things only.
#include <algorithm>
#include <set>
#include <utility>

#include "entrepot/index/catalog.hpp"
#include "entrepot/oci/manifest.hpp"
#include "replication/companions.hpp"
#include "replication/crew.hpp"
#include "replication/delivery.hpp"

namespace entrepot::replication {

// Signatures by tag that the Journal told of when nobody wanted their image yet: an image that was
// pushed and signed long before it got a name the rule means. What has rows here comes by them.
async::Task<> Delivery::add_companions() {
  const auto& rule = *errand_->rule;
  if (rule.whole() || !rule.rule().referrers) co_return;
  std::set<ItemName> known;
  for (const auto& row : rows_) known.insert(row.item);
  std::map<ItemName, std::size_t> wanted;  // and the row whose image it belongs to
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto& change = rows_[i].change;
    const bool covered = change.tag && change.to && rule.covers(*change.tag);
    if (!covered || rows_[i].word != Word::last || is_companion(*change.tag)) continue;
    for (const auto& tag : companions(*change.to)) {
      const ItemName companion{rows_[i].item.repository, tag.text()};
      if (!rule.covers(tag) && !known.contains(companion)) wanted.emplace(companion, i);
    }
  }
  std::vector<registry::TagName> names;
  names.reserve(wanted.size());
  for (const auto& [item, row] : wanted) {
    names.emplace_back(item.repository, *oci::Tag::parse(item.reference));
  }
  while (!names.empty() && !result_.trouble) {
    const auto count = std::min(names.size(), registry::most_tags_asked);
    const auto rest = names.begin() + static_cast<std::ptrdiff_t>(count);
    auto told = co_await errand_->from.feed->latest({}, {names.begin(), rest});
    names.erase(names.begin(), rest);
    if (told) {
      for (auto& change : *told) add_row_along(std::move(change), wanted);
    } else {
      result_.trouble = std::move(told.error());
    }
  }
  // After what has the same place in the Journal.
  std::ranges::sort(rows_, {},
                    [](const Row& row) { return std::pair(row.change.sequence, row.along); });
}

// Before the row of its image, so that the position does not pass that without it.
void Delivery::add_row_along(index::Change change, const std::map<ItemName, std::size_t>& wanted) {
  ItemName item{change.repository, reference_of(change)};
  const auto found = wanted.find(item);
  if (found == wanted.end() || !change.to) return;
  const auto& image = rows_[found->second].change;
  change.repository = image.repository;
  change.sequence = image.sequence - 1;
  rows_.push_back({.change = std::move(change), .item = std::move(item), .along = true});
}

// Their images first; then what belongs to something that is here by then, again and again, since
// what came may have signatures of its own. What is left belongs to nothing the rule takes: or to
// what waits, which brings it along when it comes.
async::Task<> Delivery::do_belongings(std::vector<std::size_t> open) {
  for (std::size_t before = 0; !result_.trouble && before != open.size();) {
    before = open.size();
    co_await side_by_side(open.size(), images_at_once,
                          [&](std::size_t place) { return do_job(open[place]); });
    std::erase_if(open, [this](std::size_t number) {
      return rows_[jobs_[number].rows.front()].content != Content::coming;
    });
  }
  if (result_.trouble) co_return;
  for (const auto number : open) {
    for (const auto row : jobs_[number].rows) rows_[row].content = Content::none;
  }
}

// Absent: it is to be brought; coming: not yet.
async::Task<std::optional<Delivery::Content>> Delivery::set_aside(Job& job) {
  if (errand_->rule->whole() || job.covered) co_return std::nullopt;
  if (!errand_->rule->rule().referrers) co_return Content::none;
  if (!job.subject) {
    auto subject = co_await subject_of(job);
    if (!subject) co_return co_await judge(job, std::move(subject.error()), false);
    if (!*subject) co_return Content::none;
    job.subject = *subject;
  }
  const bool linked = co_await errand_->house.index.read(
      [&](const index::View& view) { return index::linked(view, job.image.to, *job.subject); });
  co_return linked ? std::nullopt : std::optional(Content::coming);
}

async::Task<registry::Answer<std::optional<oci::Digest>>> Delivery::subject_of(const Job& job) {
  for (const auto row : job.rows) {
    const auto& tag = rows_[row].change.tag;
    if (auto subject = tag ? replication::subject_of(*tag) : std::nullopt) co_return subject;
  }
  const auto there =
      co_await errand_->from.place->manifest(job.image.from, oci::Reference(job.image.digest));
  if (!there) co_return std::unexpected(there.error());
  const auto parsed = oci::parse_manifest(there->bytes, there->media_type);
  if (!parsed || !parsed->subject) co_return std::optional<oci::Digest>();
  co_return parsed->subject->digest;
}

}  // namespace entrepot::replication
