#include "entrepot/registry/uploads.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>
#include <vector>

#include "entrepot/base/log.hpp"
#include "entrepot/base/unique_fd.hpp"
#include "entrepot/oci/refusal.hpp"
#include "registry/disk_refusal.hpp"
#include "registry/finished_uploads.hpp"
#include "registry/intake.hpp"
#include "registry/reservation.hpp"
#include "registry/upload_sessions.hpp"

namespace entrepot::registry {

namespace {

using Fate = UploadSessions::Fate;

constexpr std::size_t longest_principal = 1024;
constexpr std::size_t swept_at_once = 64;
// Of what a quota has stopped: time to make room and to go on.
constexpr std::chrono::minutes expire_stopped{10};
// A disk that takes longer to put a blob away is stuck.
constexpr std::chrono::minutes closing_patience{2};

std::string random_id() {
  std::array<std::byte, 16> bytes;
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    base::throw_errno("getrandom");
  }
  return base::to_hex(bytes);
}

}  // namespace

struct Uploads::State {
  State(store::BlobStore& blob_store, Admission& the_admission, LeaseTable& the_leases,
        Writer& the_writer, const PolicySwitch& the_policy, async::BlockingPool& blocking,
        const base::Clock& the_clock, base::Metrics& metrics)
      : store(blob_store),
        admission(the_admission),
        leases(the_leases),
        writer(the_writer),
        policy(the_policy),
        pool(blocking),
        clock(the_clock),
        sessions(std::make_shared<UploadSessions>(blob_store, the_clock, metrics)) {}

  void find_earlier() const;
  std::chrono::milliseconds idle(const store::BlobStore::UploadFile& file) const;
  async::Task<> warm_up(UploadSessions::Hold& hold, oci::Algorithm algorithm) const;
  async::Task<> take_in(UploadSessions::Hold& hold, std::optional<std::uint64_t> at,
                        std::optional<std::uint64_t> length, NextPiece pieces,
                        std::optional<oci::Digest> digest) const;
  async::Task<> admit(UploadSessions::Hold& hold, oci::Digest digest, index::Actor actor) const;
  async::Task<> put_away(UploadSessions::Hold& hold, oci::Digest digest, index::Actor actor) const;
  async::Task<std::optional<UploadSessions::Hold>> claim(UploadKey key, oci::Digest digest) const;
  async::Task<bool> said_again(UploadKey key, oci::Digest digest) const;
  std::uint64_t discard_expired(std::size_t& sessions_removed) const;

  store::BlobStore& store;
  Admission& admission;
  LeaseTable& leases;
  Writer& writer;
  const PolicySwitch& policy;
  async::BlockingPool& pool;
  const base::Clock& clock;
  const std::shared_ptr<UploadSessions> sessions;
  FinishedUploads finished;
};

Uploads::Uploads(store::BlobStore& store, Admission& admission, LeaseTable& leases, Writer& writer,
                 const PolicySwitch& policy, async::BlockingPool& pool, const base::Clock& clock,
                 base::Metrics& metrics)
    : state_(
          std::make_shared<State>(store, admission, leases, writer, policy, pool, clock, metrics)) {
  state_->find_earlier();
}

Uploads::~Uploads() = default;

// Since when nobody wrote to it, as far as the wall clock can be believed.
std::chrono::milliseconds Uploads::State::idle(const store::BlobStore::UploadFile& file) const {
  return std::max(clock.wall() - file.changed, std::chrono::milliseconds::zero());
}

void Uploads::State::find_earlier() const {
  const auto expire = policy.now()->options().uploads.expire;
  store.uploads([&](const store::BlobStore::UploadFile& file) {
    auto notes = read_notes(file.notes);
    const auto rested = idle(file);
    if (!notes || rested >= expire) return;
    sessions->add_found(file.id, std::move(*notes), file.size, clock.steady() - rested);
  });
}

async::Task<std::string> Uploads::open(oci::RepositoryName repository, std::string principal,
                                       oci::Algorithm algorithm) {
  const auto state = state_;
  if (principal.size() > longest_principal) {
    throw oci::Refusal(oci::ErrorCode::denied, "the user's name is too long");
  }
  const auto room = co_await state->writer.room(repository, std::nullopt);
  const UploadNotes notes{std::move(repository), std::move(principal), algorithm};
  auto hold = state->sessions->add(random_id(), notes, room);
  hold.end(Fate::discard);
  try {
    hold.spool = co_await state->pool.run(
        [&] { return state->store.begin_upload(hold.id(), algorithm, write_notes(notes)); });
  } catch (const std::system_error& error) {
    refuse_disk(error);
  }
  hold.end(Fate::keep);
  co_return hold.id();
}

async::Task<std::optional<std::uint64_t>> Uploads::offset(UploadKey key) {
  co_return state_->sessions->size_of(key);
}

async::Task<std::uint64_t> Uploads::append(UploadKey key, std::optional<std::uint64_t> at,
                                           std::optional<std::uint64_t> length, NextPiece pieces) {
  const auto state = state_;
  state->writer.check_writable();
  auto hold = state->sessions->hold(key);
  co_await state->take_in(hold, at, length, std::move(pieces), std::nullopt);
  co_return hold.spool->size();
}

// With a Spool whose running hash is of this algorithm.
async::Task<> Uploads::State::warm_up(UploadSessions::Hold& hold, oci::Algorithm algorithm) const {
  if (hold.spool && hold.spool->digest().algorithm() == algorithm) co_return;
  hold.spool.reset();
  hold.spool = co_await store.resume_upload(hold.id(), algorithm);
  if (hold.spool) co_return;
  hold.end(Fate::gone);
  throw oci::Refusal(oci::ErrorCode::blob_upload_unknown);
}

async::Task<> Uploads::State::take_in(UploadSessions::Hold& hold, std::optional<std::uint64_t> at,
                                      std::optional<std::uint64_t> length, NextPiece pieces,
                                      std::optional<oci::Digest> digest) const {
  try {
    if (!hold.spool) co_await warm_up(hold, hold.notes().algorithm);
    const auto size = hold.spool->size();
    if (at && *at != size) {
      oci::Refusal refusal(oci::ErrorCode::range_invalid, "the upload has other bytes next");
      refusal.upload_offset = size;
      throw refusal;
    }
    Reservation reservation(hold, writer, digest, std::move(pieces));
    if (length) co_await reservation.whole(*length);
    Intake intake(*hold.spool, pool, [&hold](std::uint64_t grown) { hold.grown(grown); });
    co_await intake.run([&reservation] { return reservation.next(); }, length);
  } catch (const std::system_error& error) {
    refuse_disk(error);
  }
}

async::Task<> Uploads::finish(UploadKey key, std::optional<std::uint64_t> at,
                              std::optional<std::uint64_t> length, NextPiece pieces,
                              oci::Digest digest, index::Actor actor) {
  const auto state = state_;
  state->writer.check_writable();
  auto hold = co_await state->claim(key, digest);
  if (!hold) co_return;
  if (length == 0U) hold->closing(digest);
  co_await state->take_in(*hold, at, length, std::move(pieces), digest);
  hold->closing(digest);
  co_await state->warm_up(*hold, digest.algorithm());
  const auto actual = hold->spool->digest();
  if (actual != digest) {
    hold->end(Fate::discard);
    throw oci::Refusal(oci::ErrorCode::digest_invalid, "the content is " + actual.text());
  }
  co_await state->admit(*hold, digest, std::move(actor));
  // Before it is given back: who looks for it finds the session, or how it ended.
  state->finished.remember(std::move(key), digest);
}

// Absent: it has ended in this digest, by an earlier request or by one that was just at it. If that
// one failed and left the session, this one tries.
async::Task<std::optional<UploadSessions::Hold>> Uploads::State::claim(UploadKey key,
                                                                       oci::Digest digest) const {
  for (;;) {
    auto claimed = sessions->claim(key, digest);
    if (claimed.hold) co_return std::move(claimed.hold);
    if (!claimed.closing) break;
    if (co_await sessions->ends().wait(*claimed.closing, closing_patience)) continue;
    oci::Refusal refusal(oci::ErrorCode::unavailable, "the upload is just being put away");
    refusal.retry_after = std::chrono::seconds(10);
    throw refusal;
  }
  if (co_await said_again(key, digest)) co_return std::nullopt;
  throw oci::Refusal(oci::ErrorCode::blob_upload_unknown);
}

async::Task<> Uploads::State::admit(UploadSessions::Hold& hold, oci::Digest digest,
                                    index::Actor actor) const {
  try {
    co_await writer.check_room(hold.notes().repository, digest, hold.spool->size());
    co_await put_away(hold, digest, std::move(actor));
    hold.end(Fate::gone);
  } catch (const oci::Refusal&) {
    hold.end(Fate::discard);
    throw;
  } catch (const index::IndexFull&) {
    hold.end(Fate::discard);
    throw oci::Refusal(oci::ErrorCode::storage_full, "the index is full");
  } catch (const std::system_error& error) {
    refuse_disk(error);
  }
}

// The lease first: from here to one lease time after the answer nobody collects it.
async::Task<> Uploads::State::put_away(UploadSessions::Hold& hold, oci::Digest digest,
                                       index::Actor actor) const {
  const auto repository = hold.notes().repository;
  const auto size = hold.spool->size();
  const auto to = promisee(repository, actor);
  co_await leases.take(digest, to);
  try {
    const auto stripe = co_await admission.alone_with(digest);
    hold.grown(size);
    hold.hand_over();
    co_await admission.admit_held(std::move(hold.spool), digest, [&](index::Batch& batch) {
      writer.link_blob(batch, repository, digest, size, actor);
    });
  } catch (...) {
    leases.give_back(digest, to);
    throw;
  }
}

async::Task<bool> Uploads::State::said_again(UploadKey key, oci::Digest digest) const {
  if (!finished.in(key, digest)) co_return false;
  co_await leases.take(digest);
  co_return co_await writer.has_blob(key.repository, digest);
}

async::Task<bool> Uploads::cancel(UploadKey key) {
  const auto state = state_;
  auto ending = state->sessions->end(key);
  if (!ending.hold) co_return ending.marked;
  ending.hold->end(Fate::discard);
  co_await state->pool.run([&] {
    state->store.discard_upload(ending.hold->id());
    ending.hold->spool.reset();
  });
  co_return true;
}

async::Task<Uploads::Swept> Uploads::sweep() {
  const auto state = state_;
  Swept swept;
  for (;;) {
    const auto expire = state->policy.now()->options().uploads.expire;
    const auto now = state->clock.steady();
    auto idle = state->sessions->idle(now - expire, now - expire_stopped, swept_at_once);
    if (idle.empty()) break;
    co_await state->pool.run([&] {
      for (auto& hold : idle) {
        swept.bytes += hold.size();
        state->store.discard_upload(hold.id());
        hold.spool.reset();
        hold.end(Fate::gone);
      }
    });
    swept.sessions += idle.size();
  }
  swept.bytes += co_await state->pool.run([&] { return state->discard_expired(swept.sessions); });
  if (swept.sessions > 0) {
    base::log::info("uploads expired", {{"sessions", swept.sessions}, {"bytes", swept.bytes}});
  }
  co_return swept;
}

// What an earlier run left and was too old to be found again at start.
std::uint64_t Uploads::State::discard_expired(std::size_t& sessions_removed) const {
  const auto expire = policy.now()->options().uploads.expire;
  std::uint64_t bytes = 0;
  store.uploads([&](const store::BlobStore::UploadFile& file) {
    if (sessions->contains(file.id) || idle(file) < expire) return;
    store.discard_upload(file.id);
    bytes += file.size;
    ++sessions_removed;
  });
  return bytes;
}

std::size_t Uploads::open_sessions() const { return state_->sessions->count(); }

}  // namespace entrepot::registry
