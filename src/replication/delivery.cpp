// Delivery: rows and jobs, and the content that comes.
#include "replication/delivery.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "entrepot/index/catalog.hpp"
#include "replication/crew.hpp"
#include "replication/plan.hpp"

namespace entrepot::replication {

namespace {

using registry::Failure;
using registry::FailureKind;

// It may come another time, whatever it is.
bool blames_the_line(FailureKind kind) {
  switch (kind) {
    case FailureKind::throttled:
    case FailureKind::timeout:
    case FailureKind::broken:
    case FailureKind::offline:
    case FailureKind::busy:
      return true;
    case FailureKind::absent:
    case FailureKind::denied:
      return false;
  }
  return false;
}

}  // namespace

Delivery::Delivery(SharedErrand errand, Setbacks& setbacks, DeliveryOrder order)
    : errand_(std::move(errand)),
      setbacks_(setbacks),
      listener_(std::move(order.listener)),
      heard_(std::move(order.settled)),
      begin_(std::move(order.position)),
      end_(order.end) {
  take_rows(std::move(order.changes));
}

void Delivery::take_rows(std::vector<index::Change> changes) {
  std::set<std::pair<oci::RepositoryName, std::string>> later;
  for (auto& change : std::views::reverse(changes)) {
    auto target = errand_->rule->target(change.repository);
    ItemName item{change.repository, reference_of(change)};
    if (!target) {
      if (change.to) nameless_.insert(std::move(item));
      continue;
    }
    const bool last = later.emplace(*target, item.reference).second;
    change.repository = std::move(*target);
    rows_.push_back({.change = std::move(change),
                     .item = std::move(item),
                     .word = last ? Word::last : Word::earlier});
  }
  std::ranges::reverse(rows_);
}

// A manifest that several rows speak of is brought once.
async::Task<> Delivery::make_jobs() {
  std::vector<bool> wanted;
  co_await errand_->house.index.read([&](const index::View& view) {
    wanted.clear();
    for (const auto& row : rows_) {
      wanted.push_back(wants_content(view, row.change, row.word, *errand_));
    }
  });
  std::map<std::pair<oci::RepositoryName, oci::Digest>, std::size_t> known;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (!wanted[i]) continue;
    auto& row = rows_[i];
    row.content = Content::coming;
    const auto place =
        known.emplace(std::pair(row.change.repository, *row.change.to), jobs_.size());
    if (place.second) {
      jobs_.push_back({.image = {.from = row.item.repository,
                                 .to = row.change.repository,
                                 .digest = *row.change.to,
                                 .version = row.change.version}});
      // Where everything is taken, what refers to it has rows of its own.
      if (errand_->rule->whole()) jobs_.back().image.referrers = false;
    }
    auto& job = jobs_[place.first->second];
    job.rows.push_back(i);
    job.covered = job.covered || (row.change.tag && errand_->rule->covers(*row.change.tag));
  }
}

async::Task<Delivered> Delivery::run() {
  result_.position = begin_;
  for (const auto& item : nameless_) co_await put_to_waiting(item, without_name, Blame::item);
  co_await add_companions();
  if (result_.trouble) co_return std::move(result_);
  co_await make_jobs();
  if (heard_) heard_(begin_, oldest_open());
  co_await settle_ready();
  std::vector<std::size_t> images;
  std::vector<std::size_t> belongings;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    (errand_->rule->whole() || jobs_[i].covered ? images : belongings).push_back(i);
  }
  co_await side_by_side(images.size(), images_at_once,
                        [&](std::size_t place) { return do_job(images[place]); });
  co_await do_belongings(std::move(belongings));
  co_await settle_ready();
  result_.report.tags = rows_.size();
  co_return std::move(result_);
}

bool Delivery::called_off() const {
  return errand_->stopping || (listener_.stop && listener_.stop());
}

async::Task<> Delivery::do_job(std::size_t number) {
  if (called_off()) throw CalledOff();
  if (troubles_in_a_row_ >= images_at_once) co_return;
  auto& job = jobs_[number];
  const auto content = co_await bring(job);
  for (const auto row : job.rows) rows_[row].content = content;
  co_await settle_ready();
}

async::Task<Delivery::Content> Delivery::bring(Job& job) {
  if (const auto aside = co_await set_aside(job)) co_return *aside;
  bool moved = false;
  auto answer = co_await carry(
      errand_, job.image,
      [this, &moved](std::uint64_t bytes) {
        moved = true;
        bytes_ += bytes;
        if (listener_.bytes) listener_.bytes(bytes_, 0);
      },
      [this] { return called_off(); });
  const auto& item = rows_[job.rows.front()].item;
  if (!answer) co_return co_await judge(job, std::move(answer.error()), moved);
  setbacks_.forget(item);
  troubles_in_a_row_ = 0;
  result_.report.copied += *answer;
  co_return Content::here;
}

async::Task<Delivery::Content> Delivery::judge(Job& job, Failure failure, bool moved) {
  const auto& item = rows_[job.rows.front()].item;
  // What it cannot give for the rule's platforms it never will.
  if (failure.no_platform) co_return Content::none;
  if (failure.kind == FailureKind::absent && co_await is_gone(job.image)) co_return Content::none;
  const bool line = blames_the_line(failure.kind);
  if (line) {
    ++troubles_in_a_row_;
    if (moved) setbacks_.forget(item);
    if (moved || !setbacks_.add(item)) {
      result_.trouble = std::move(failure);
      co_return Content::coming;
    }
  }
  setbacks_.forget(item);
  const auto blame = line ? Blame::line : Blame::item;
  for (const auto row : job.rows) co_await put_to_waiting(rows_[row].item, failure.message, blame);
  co_return Content::failed;
}

// What the source has no more a later change explains. A blob that is missing nothing does.
async::Task<bool> Delivery::is_gone(Image image) {
  const auto there =
      co_await errand_->from.place->manifest(image.from, oci::Reference(image.digest));
  co_return !there && there.error().kind == FailureKind::absent;
}

}  // namespace entrepot::replication
