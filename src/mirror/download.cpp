#include "mirror/download.hpp"

#include <system_error>

#include "entrepot/base/log.hpp"
#include "entrepot/index/catalog.hpp"
#include "mirror/pieces.hpp"
#include "mirror/pulse.hpp"
#include "mirror/trouble.hpp"

namespace entrepot::mirror {

namespace {

constexpr std::uint64_t read_step = 256 * 1024;
// C-08: an abandoned fill goes on when it is past half, or when this little is left.
constexpr std::uint64_t worth_finishing = 64ULL * 1024 * 1024;

registry::Failure broken(std::string message) {
  return {.kind = registry::FailureKind::broken, .message = std::move(message)};
}

void keep_partial(store::Spool& spool, const oci::Digest& digest) {
  if (spool.size() == 0) return;
  try {
    spool.keep();
  } catch (const std::system_error& error) {
    base::log::warn("partial blob not kept", {{"digest", digest.text()}, {"error", error.what()}});
  }
}

}  // namespace

Download::Download(std::shared_ptr<FillTable::State> table, Origin origin, async::Executor executor)
    : table_(std::move(table)),
      origin_(std::move(origin)),
      executor_(std::move(executor)),
      fill_(std::make_shared<Fill>(origin_)) {}

Download::~Download() {
  if (spool_) keep_partial(*spool_, origin_.digest);
}

async::Task<> Download::run(std::shared_ptr<Download> self) {
  self->table_->house.metrics.fill_started();
  std::optional<registry::Failure> broken_off;
  try {
    co_await self->work();
  } catch (const std::exception& error) {
    broken_off = failure_of(error);
  }
  // The one place where a broken transfer ends: all followers err together (C-09), what came so far
  // is resumed by the next who asks.
  if (broken_off) co_await self->end_failed("failed", std::move(*broken_off));
}

async::Task<> Download::work() {
  if (ended_) co_return;
  if (co_await held_already()) {
    leave_table("superseded");
    fill_->supersede();
    co_return;
  }
  if (co_await adopt() || ended_) co_return;
  if (!co_await begin()) co_return;
  bool resumed = spool_->size() > 0;
  for (;;) {
    if (co_await transfer() == Transfer::ended) co_return;
    if (spool_->digest() == origin_.digest) break;
    report_mismatch();
    // Bytes of an earlier run may have been the culprit: those get one more chance, from zero.
    if (!resumed) {
      spool_.reset();
      co_await end_failed("mismatch", broken(origin_.upstream_name + " sent bytes that are not " +
                                             origin_.digest.text()));
      co_return;
    }
    spool_->restart();
    fill_->restart(spool_->file());
    resumed = false;
  }
  fill_->prove();
  co_await keep_for_good();
}

// Between a request's look at the index and its entry into the table another fill may have ended.
async::Task<bool> Download::held_already() {
  const auto record = co_await table_->house.index.read(
      [&](const index::View& view) { return index::blob(view, origin_.digest); });
  if (!record || ended_) co_return false;
  const auto stored = table_->house.store.find(origin_.digest);
  co_return stored && stored->size == record->size;
}

// A restart after the rename but before the index row: the file is there, and nobody knows. True
// when it is recorded now, and the download over.
async::Task<bool> Download::adopt() {
  if (ended_) co_return false;
  const auto found = table_->house.store.find(origin_.digest);
  if (!found) co_return false;
  const bool recorded = co_await table_->house.index.read(
      [&](const index::View& view) { return index::blob(view, origin_.digest).has_value(); });
  if (ended_ || recorded) co_return false;
  const auto bytes = table_->house.store.open(origin_.digest, found->size);
  if (!bytes) co_return false;
  auto answer = co_await origin_.upstream->stat(origin_.name, origin_.digest);
  if (ended_) co_return false;
  if (!answer) {
    co_await end_failed("refused", std::move(answer.error()));
    co_return false;
  }
  oci::Hasher hasher(origin_.digest.algorithm());
  if (found->size > 0) {
    const auto whole = co_await bytes->read_at(0, found->size);
    co_await table_->house.pool.run(
        [&] { for_each_piece(whole, [&](base::ByteView piece) { hasher.update(piece); }); });
  }
  if (ended_ || hasher.current() != origin_.digest) co_return false;
  co_return co_await keep_found(found->size);
}

// False when the index refuses, or the file has been taken away meanwhile: then it is fetched,
// which the clients do not notice.
async::Task<bool> Download::keep_found(std::uint64_t size) {
  try {
    const auto stripe = co_await table_->house.admission.alone_with(origin_.digest);
    const auto found = table_->house.store.find(origin_.digest);
    if (!found || found->size != size) co_return false;
    co_await record(size);
  } catch (const std::exception& error) {
    base::log::error("blob not kept", {{"digest", origin_.digest.text()}, {"error", error.what()}});
    co_return false;
  }
  if (ended_) co_return true;
  leave_table("found");
  fill_->supersede();
  co_return true;
}

// False when the download is over.
async::Task<bool> Download::begin() {
  if (ended_) co_return false;
  try {
    spool_ = co_await table_->house.store.begin_or_resume(origin_.digest);
  } catch (const std::system_error& error) {
    end_unstorable(error);
    co_return false;
  }
  if (!ended_) co_return true;
  co_await put_away();
  co_return false;
}

async::Task<Download::Transfer> Download::transfer() {
  if (spool_->size() > 0 && spool_->digest() == origin_.digest) co_return co_await confirm_whole();
  auto answer = co_await ask();
  if (ended_) co_return Transfer::ended;
  if (!answer) {
    co_await end_failed("refused", std::move(answer.error()));
    co_return Transfer::ended;
  }
  total_ = answer->bytes->size();
  if (spool_->size() > total_) spool_->restart();
  fill_->open(total_, spool_->file(), spool_->size());
  co_return co_await receive(std::move(answer->bytes));
}

// A restart after the last byte but before the commit: nothing is left to fetch, but the right to
// it must be earned all the same.
async::Task<Download::Transfer> Download::confirm_whole() {
  auto answer = co_await origin_.upstream->stat(origin_.name, origin_.digest);
  if (ended_) co_return Transfer::ended;
  if (!answer) {
    co_await end_failed("refused", std::move(answer.error()));
    co_return Transfer::ended;
  }
  total_ = spool_->size();
  fill_->open(total_, spool_->file(), total_);
  co_return Transfer::complete;
}

async::Task<registry::Answer<registry::BlobContent>> Download::ask() {
  const registry::BlobStart rest{.offset = spool_->size(), .size = origin_.size};
  auto answer = co_await origin_.upstream->blob_from(origin_.name, origin_.digest, rest);
  if (ended_ || answer || rest.offset == 0) co_return answer;
  if (answer.error().kind != registry::FailureKind::broken) co_return answer;
  // A partial file longer than the blob cannot be resumed, and would stand in the way for ever.
  const registry::BlobStart all{.offset = 0, .size = origin_.size};
  co_return co_await origin_.upstream->blob_from(origin_.name, origin_.digest, all);
}

async::Task<Download::Transfer> Download::receive(std::unique_ptr<async::ByteSource> bytes) {
  Pulse pulse(*fill_, executor_);
  while (spool_->size() < total_) {
    const auto chunk = co_await bytes->read_at(spool_->size(), read_step);
    if (ended_ || !store(chunk)) co_return Transfer::ended;
    if (deserted() && fill_->close_if_deserted()) {
      co_await end_failed("abandoned", broken("nobody waited for it any more"));
      co_return Transfer::ended;
    }
    pulse.wrote(spool_->size());
  }
  co_return Transfer::complete;
}

// False when the disk refused and the download is over.
bool Download::store(const async::Chunk& chunk) {
  try {
    for_each_piece(chunk, [&](base::ByteView piece) { spool_->append(piece); });
  } catch (const std::system_error& error) {
    end_unstorable(error);
    return false;
  }
  return true;
}

void Download::report_mismatch() const {
  table_->house.metrics.digest_mismatch(origin_.upstream_name);
  base::log::error("upstream digest mismatch", {{"upstream", origin_.upstream_name},
                                                {"repository", origin_.canonical.text()},
                                                {"digest", origin_.digest.text()},
                                                {"bytes", total_}});
}

bool Download::deserted() const {
  if (table_->abandoned == AbandonedFill::finish) return false;
  const auto left = total_ - spool_->size();
  return left >= worth_finishing && spool_->size() <= left;
}

async::Task<> Download::keep_for_good() {
  committing_ = true;
  const auto size = spool_->size();
  try {
    // Held until nobody can be admitted to the fill any more.
    const auto stripe = co_await table_->house.admission.alone_with(origin_.digest);
    const auto earned = fill_->repositories();
    co_await table_->house.admission.admit_held(std::move(spool_), origin_.digest,
                                                links_of(earned));
    if (!fill_->close_if_all_in(earned)) co_await record(size);
  } catch (const std::exception& error) {
    // The clients have their bytes; what is lost is only that they are kept.
    base::log::error("blob not kept", {{"digest", origin_.digest.text()}, {"error", error.what()}});
    leave_table("not_kept");
    co_return;
  }
  base::log::info("blob stored", {{"upstream", origin_.upstream_name},
                                  {"repository", origin_.canonical.text()},
                                  {"digest", origin_.digest.text()},
                                  {"bytes", size}});
  leave_table("stored");
}

async::Task<> Download::record(std::uint64_t size) {
  std::set<oci::RepositoryName> earned;
  do {
    earned = fill_->repositories();
    co_await table_->house.admission.record(origin_.digest, size, links_of(earned));
  } while (!fill_->close_if_all_in(earned));
}

std::function<void(index::Batch&)> Download::links_of(std::set<oci::RepositoryName> earned) const {
  return [earned = std::move(earned), digest = origin_.digest,
          now = table_->house.clock.wall()](index::Batch& batch) {
    for (const auto& repository : earned) {
      index::link(batch, repository, index::RepositoryKind::mirrored, digest, now);
    }
  };
}

void Download::request_halt() { async::spawn(executor_, halt(shared_from_this()), "fill halt"); }

async::Task<> Download::halt(std::shared_ptr<Download> self) {
  if (self->committing_) co_return;
  co_await self->end_failed("stopped", broken("shutting down"));
}

// Syncing what may be gigabytes is nothing for a serving thread.
async::Task<> Download::put_away() {
  if (!spool_) co_return;
  const auto spool = std::move(spool_);
  co_await table_->house.pool.run([&] { keep_partial(*spool, origin_.digest); });
}

async::Task<> Download::end_failed(std::string_view outcome, registry::Failure failure) {
  if (ended_) co_return;
  ended_ = true;
  fill_->close();
  base::log::info("fill ended", {{"outcome", outcome},
                                 {"upstream", origin_.upstream_name},
                                 {"repository", origin_.canonical.text()},
                                 {"digest", origin_.digest.text()},
                                 {"bytes", spool_ ? spool_->size() : 0},
                                 {"reason", failure.message}});
  co_await put_away();
  leave_table(outcome);
  fill_->fail(std::move(failure));
}

void Download::end_unstorable(const std::exception& error) {
  if (ended_) return;
  base::log::error("blob cannot be stored",
                   {{"digest", origin_.digest.text()}, {"error", error.what()}});
  Remainder remainder;
  if (spool_) {
    remainder.file = spool_->file();
    remainder.written = spool_->size();
    remainder.hasher = std::make_shared<const oci::Hasher>(spool_->hasher());
  } else {
    remainder.hasher = std::make_shared<const oci::Hasher>(origin_.digest.algorithm());
  }
  fill_->close();
  spool_.reset();
  leave_table("unstorable");
  fill_->give_over(std::move(remainder));
}

void Download::leave_table(std::string_view outcome) {
  ended_ = true;
  fill_->close();
  table_->house.metrics.fill_ended(origin_.upstream_name, outcome);
  table_->remove(origin_.digest);
  fill_->leave_table();
}

}  // namespace entrepot::mirror
