#include "registry/blob_arrival.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"
#include "registry/guard.hpp"
#include "registry/intake.hpp"
#include "registry/piece_reader.hpp"

namespace entrepot::registry {
namespace {

// Behind another rule that moves the same blob over a slow line.
constexpr std::chrono::hours longest_turn{1};
// Behind a client's pull that fills it: each look costs one read of the index.
constexpr std::chrono::milliseconds between_looks{250};
constexpr int most_looks = 2400;
// Each of them brought some bytes.
constexpr int most_breaks = 1000;
constexpr int attempts = 2;
constexpr std::chrono::seconds try_again_after{30};

Failure broken(std::string message) {
  return {.kind = FailureKind::broken, .message = std::move(message)};
}

Failure busy() {
  return {.kind = FailureKind::busy,
          .message = "somebody else is just fetching it",
          .retry_after = try_again_after};
}

void keep_partial(store::Spool& spool, const oci::Digest& digest) {
  if (spool.size() == 0) return;
  try {
    spool.keep();
  } catch (const std::system_error& error) {
    base::log::warn("partial blob not kept", {{"digest", digest.text()}, {"error", error.what()}});
  }
}

// Who is cancelled hears of it; all else that reading throws is a break.
Failure failure_from(const std::exception_ptr& trouble) {
  try {
    std::rethrow_exception(trouble);
  } catch (const oci::Refusal& refusal) {
    return failure_of(refusal);
  } catch (const boost::system::system_error& error) {
    if (error.code() == boost::system::errc::operation_canceled) throw;
    return broken("the transfer broke off");
  } catch (const std::exception& error) {
    base::log::warn("transfer failed", {{"error", error.what()}});
    return broken("the transfer broke off");
  }
}

}  // namespace

BlobArrival::BlobArrival(const LocalPlace::House& house, oci::RepositoryName repository,
                         BlobOffer offer, const index::Actor& actor)
    : house_(house), repository_(std::move(repository)), offer_(std::move(offer)), actor_(actor) {}

BlobArrival::~BlobArrival() {
  if (spool_) keep_partial(*spool_, offer_.digest);
}

// The lease first: what is answered with "it is here" stays until its manifest comes.
async::Task<Answer<BlobTaken>> BlobArrival::run() {
  co_await house_.writer.check_room(repository_, offer_.digest, offer_.size);
  const auto to = promisee(repository_, actor_);
  co_await house_.leases.take(offer_.digest, to);
  Answer<BlobTaken> taken = std::unexpected(busy());
  try {
    taken = co_await take();
  } catch (...) {
    house_.leases.give_back(offer_.digest, to);
    throw;
  }
  if (!taken) house_.leases.give_back(offer_.digest, to);
  co_return taken;
}

async::Task<Answer<BlobTaken>> BlobArrival::take() {
  if (const auto held = co_await house_.local.stat(repository_, offer_.digest)) {
    co_return BlobTaken{.how = Taken::held};
  }
  const auto turn = co_await house_.movers.turn(offer_.digest, longest_turn);
  if (!turn) co_return std::unexpected(busy());
  for (int looks = 0; looks < most_looks; ++looks) {
    if (auto settled = co_await look()) co_return std::move(*settled);
    if (co_await begin()) co_return co_await move();
    co_await async::sleep_for(between_looks);
  }
  co_return std::unexpected(busy());
}

// What is here needs no bytes, but the source's word unless this repository has its own link.
async::Task<BlobArrival::Settled> BlobArrival::look() {
  if (const auto held = co_await house_.local.stat(repository_, offer_.digest)) {
    co_return BlobTaken{.how = Taken::held};
  }
  const auto found = house_.store.find(offer_.digest);
  if (!found) co_return std::nullopt;
  const auto record = co_await house_.index.read(
      [&](const index::View& view) { return index::blob(view, offer_.digest); });
  if (!record) co_return co_await adopt(found->size);
  if (record->size != found->size) co_return std::nullopt;
  co_return co_await claim(found->size);
}

async::Task<BlobArrival::Settled> BlobArrival::claim(std::uint64_t size) {
  const auto confirmed = co_await confirm(size);
  if (!confirmed) co_return std::unexpected(confirmed.error());
  if (*confirmed == Confirmed::no) co_return std::nullopt;
  const bool linked = co_await write_or_refuse(house_.index, [&](index::Batch& batch) {
    if (!index::blob(batch, offer_.digest)) return false;
    house_.writer.link_blob(batch, repository_, offer_.digest, size, actor_);
    return true;
  });
  if (!linked) co_return std::nullopt;
  co_return BlobTaken{.how = Taken::mounted};
}

// A crash between a blob's rename and its row left a file that nobody knows.
async::Task<BlobArrival::Settled> BlobArrival::adopt(std::uint64_t size) {
  const auto bytes = house_.store.open(offer_.digest, size);
  if (!bytes) co_return std::nullopt;
  const auto confirmed = co_await confirm(size);
  if (!confirmed) co_return std::unexpected(confirmed.error());
  if (*confirmed == Confirmed::no) co_return std::nullopt;
  oci::Hasher hasher(offer_.digest.algorithm());
  PieceReader reader(*bytes, 0, house_.pool);
  const auto next = reader.pieces();
  for (auto piece = co_await next(); !piece.empty(); piece = co_await next()) {
    co_await house_.pool.run([&] { hasher.update(piece); });
  }
  if (hasher.current() != offer_.digest) co_return std::nullopt;
  const auto stripe = co_await house_.admission.alone_with(offer_.digest);
  const auto found = house_.store.find(offer_.digest);
  if (!found || found->size != size) co_return std::nullopt;
  co_await house_.admission.record(offer_.digest, size, [&](index::Batch& batch) {
    house_.writer.link_blob(batch, repository_, offer_.digest, size, actor_);
  });
  co_return BlobTaken{.how = Taken::mounted};
}

// One question at most. A source that names another size than what is here sends its bytes.
async::Task<Answer<BlobArrival::Confirmed>> BlobArrival::confirm(std::uint64_t size) {
  if (!offer_.stat || asked_ || size != offer_.size) co_return Confirmed::no;
  asked_ = true;
  const auto answer = co_await offer_.stat();
  if (!answer) co_return std::unexpected(answer.error());
  co_return answer->size == size ? Confirmed::yes : Confirmed::no;
}

// False while somebody else has the digest's Spool: a mirror's fill.
async::Task<bool> BlobArrival::begin() {
  try {
    spool_ = co_await house_.store.begin_or_resume(offer_.digest);
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::device_or_resource_busy) co_return false;
    throw;
  }
  check_disk();
  co_return true;
}

// Known before bytes cross a line for nothing. What came of it before has its room already.
void BlobArrival::check_disk() const {
  const auto rest = offer_.size - std::min(offer_.size, spool_->size());
  if (house_.store.free_bytes() >= rest) return;
  throw std::system_error(ENOSPC, std::generic_category(), "blob of " + offer_.digest.text());
}

async::Task<Answer<BlobTaken>> BlobArrival::move() {
  for (int attempt = 0; attempt < attempts; ++attempt) {
    auto received = co_await receive();
    if (!received) {
      co_await put_away();
      co_return std::unexpected(std::move(received.error()));
    }
    if (spool_->digest() == offer_.digest) {
      co_await admit();
      co_return BlobTaken{.how = Taken::moved, .bytes = moved_};
    }
    base::log::error("source digest mismatch", {{"repository", repository_.text()},
                                                {"digest", offer_.digest.text()},
                                                {"bytes", spool_->size()}});
    // Bytes of an earlier attempt may have been the culprit.
    spool_->restart();
  }
  spool_.reset();
  co_return std::unexpected(broken("the source sent bytes that are not " + offer_.digest.text()));
}

// To the last byte, over breaks, as long as every attempt brings some.
async::Task<Answer<void>> BlobArrival::receive() {
  if (spool_->size() > offer_.size) spool_->restart();
  if (spool_->size() == offer_.size) {
    // All of it came before a crash; the right to it must be earned all the same.
    const auto confirmed = co_await confirm(offer_.size);
    if (!confirmed) co_return std::unexpected(confirmed.error());
    if (*confirmed == Confirmed::yes) co_return Answer<void>();
    spool_->restart();
  }
  for (int breaks = 0; breaks < most_breaks; ++breaks) {
    const auto before = spool_->size();
    auto failure = co_await transfer();
    moved_ += spool_ ? spool_->size() - before : 0;
    if (!failure) co_return Answer<void>();
    if (!spool_ || spool_->size() == before) co_return std::unexpected(std::move(*failure));
  }
  co_return std::unexpected(broken("the transfer broke off too often"));
}

async::Task<std::optional<Failure>> BlobArrival::transfer() {
  auto content = co_await offer_.open({.offset = spool_->size(), .size = offer_.size});
  if (!content) co_return std::move(content.error());
  const auto size = content->bytes->size();
  if (size != offer_.size) {
    co_return broken("it has " + std::to_string(size) + " bytes there, its manifest lists " +
                     std::to_string(offer_.size));
  }
  co_return co_await take_in(*content->bytes);
}

async::Task<std::optional<Failure>> BlobArrival::take_in(async::ByteSource& bytes) {
  PieceReader reader(bytes, spool_->size(), house_.pool);
  try {
    Intake intake(*spool_, house_.pool, [](std::uint64_t) {});
    co_await intake.run(reader.pieces(), std::nullopt);
  } catch (const std::system_error&) {
    // A disk that is full or broken has no use for half a blob.
    if (!reader.trouble()) {
      spool_.reset();
      throw;
    }
  } catch (...) {
    if (!reader.trouble()) throw;
  }
  if (!reader.trouble()) co_return std::nullopt;
  co_return failure_from(reader.trouble());
}

async::Task<> BlobArrival::admit() {
  const auto size = spool_->size();
  co_await house_.writer.check_room(repository_, offer_.digest, size);
  const auto stripe = co_await house_.admission.alone_with(offer_.digest);
  co_await house_.admission.admit_held(std::move(spool_), offer_.digest, [&](index::Batch& batch) {
    house_.writer.link_blob(batch, repository_, offer_.digest, size, actor_);
  });
}

// Syncing what may be gigabytes is nothing for a serving thread.
async::Task<> BlobArrival::put_away() {
  if (!spool_) co_return;
  const auto spool = std::move(spool_);
  co_await house_.pool.run([&] { keep_partial(*spool, offer_.digest); });
}

}  // namespace entrepot::registry
