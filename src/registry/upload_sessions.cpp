#include "registry/upload_sessions.hpp"

#include <algorithm>
#include <utility>

#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"
#include "registry/quota.hpp"

namespace entrepot::registry {
namespace {

// Each costs a descriptor; resuming one without it costs hashing what it has.
constexpr std::size_t most_warm = 128;
constexpr std::chrono::seconds try_again_after{10};
// Room is plenty where so many uploads could have theirs ahead: then it is nobody's last.
constexpr std::uint64_t plenty = 64;

[[noreturn]] void refuse_unknown() { throw oci::Refusal(oci::ErrorCode::blob_upload_unknown); }

[[noreturn]] void refuse_too_many(const std::string& whose) {
  oci::Refusal refusal(oci::ErrorCode::too_many_requests, "too many uploads " + whose);
  refusal.retry_after = try_again_after;
  throw refusal;
}

}  // namespace

struct UploadSessions::Session {
  const std::string id;
  const UploadNotes notes;
  // Guarded by the table's mutex.
  std::uint64_t size = 0;
  std::uint64_t counted = 0;  // of it, or promised to it, in of_repository_
  bool stopped = false;       // by a quota
  base::SteadyTime touched;
  bool held = false;
  bool ended = false;                     // by somebody else than its holder
  std::optional<oci::Digest> closing{};   // its holder is about to end it in this
  std::unique_ptr<store::Spool> spool{};  // while it rests, if it is warm
  std::uint64_t rest = 0;                 // its place in warm_
};

// ---- Hold -------------------------------------------------------------------------------------

UploadSessions::Hold::Hold(std::shared_ptr<UploadSessions> table, std::shared_ptr<Session> session,
                           std::unique_ptr<store::Spool> resting)
    : spool(std::move(resting)), table_(std::move(table)), session_(std::move(session)) {}

UploadSessions::Hold::~Hold() {
  if (session_) table_->give_back(session_, std::move(spool), fate_);
}

const std::string& UploadSessions::Hold::id() const { return session_->id; }
const UploadNotes& UploadSessions::Hold::notes() const { return session_->notes; }

std::uint64_t UploadSessions::Hold::size() const {
  const std::lock_guard lock(table_->mutex_);
  return session_->size;
}

void UploadSessions::Hold::grown(std::uint64_t size) const {
  const std::lock_guard lock(table_->mutex_);
  session_->size = size;
  session_->touched = table_->clock_.steady();
  if (session_->ended) refuse_unknown();
  if (size > session_->counted) table_->count(*session_, size);
}

std::uint64_t UploadSessions::Hold::reserve(std::uint64_t size, std::uint64_t ahead,
                                            const Room& room) const {
  const std::lock_guard lock(table_->mutex_);
  if (session_->ended) refuse_unknown();
  const auto more = size - std::min(size, session_->counted);
  session_->stopped = true;
  table_->check_room(room, more);
  session_->stopped = false;
  try {
    if (ahead > 0) table_->check_room(room, more + plenty * ahead);
  } catch (const oci::Refusal&) {
    ahead = 0;
  }
  table_->count(*session_, session_->counted + more + ahead);
  return size + ahead;
}

void UploadSessions::Hold::hand_over() const {
  const std::lock_guard lock(table_->mutex_);
  if (session_->ended) refuse_unknown();
  table_->count(*session_, 0);
}

void UploadSessions::Hold::closing(const oci::Digest& digest) const {
  const std::lock_guard lock(table_->mutex_);
  session_->closing = digest;
}

// ---- the table --------------------------------------------------------------------------------

UploadSessions::Hold UploadSessions::add(std::string id, UploadNotes notes, const Room& room) {
  const std::lock_guard lock(mutex_);
  check_caps(notes, *room.policy);
  check_room(room, 1);
  const auto session = std::make_shared<Session>(
      Session{.id = std::move(id), .notes = std::move(notes), .touched = clock_.steady()});
  insert(session);
  return take(session);
}

void UploadSessions::add_found(std::string id, UploadNotes notes, std::uint64_t size,
                               base::SteadyTime touched) {
  const std::lock_guard lock(mutex_);
  insert(std::make_shared<Session>(
      Session{.id = std::move(id), .notes = std::move(notes), .size = size, .touched = touched}));
}

void UploadSessions::check_caps(const UploadNotes& notes, const Policy& policy) const {
  const auto& limits = policy.options().uploads;
  if (sessions_.size() >= limits.total) refuse_too_many("at once");
  const auto own = of_principal_.find(notes.principal);
  if (!notes.principal.empty() && own != of_principal_.end() &&
      own->second >= limits.per_principal) {
    refuse_too_many("by " + notes.principal + " at once");
  }
  for (const auto number : policy.quotas_of(notes.repository)) {
    const auto allowed = policy.options().quotas[number].uploads;
    if (!allowed) continue;
    if (open_in(policy, number).sessions >= *allowed) {
      throw oci::Refusal(oci::ErrorCode::denied, "quota exceeded: " + std::to_string(*allowed) +
                                                     " uploads at once allowed");
    }
  }
}

UploadSessions::Open UploadSessions::open_in(const Policy& policy, std::size_t quota) const {
  Open sum;
  for (const auto& [repository, open] : of_repository_) {
    if (!policy.counts(quota, repository)) continue;
    sum.sessions += open.sessions;
    sum.bytes += open.bytes;
  }
  return sum;
}

void UploadSessions::check_room(const Room& room, std::uint64_t more) const {
  if (more == 0) return;
  for (const auto& quota : room.quotas) {
    refuse_over("bytes", quota.used + open_in(*room.policy, quota.number).bytes + more,
                quota.allowed);
  }
}

void UploadSessions::insert(const std::shared_ptr<Session>& session) {
  if (!sessions_.emplace(session->id, session).second) return;
  metrics_.upload_opened();
  ++of_principal_[session->notes.principal];
  ++of_repository_[session->notes.repository].sessions;
  count(*session, session->size);
}

void UploadSessions::forget(Session& session) {
  if (sessions_.erase(session.id) == 0) return;
  metrics_.upload_ended();
  count(session, 0);
  const auto principal = of_principal_.find(session.notes.principal);
  if (--principal->second == 0) of_principal_.erase(principal);
  const auto repository = of_repository_.find(session.notes.repository);
  if (--repository->second.sessions == 0) of_repository_.erase(repository);
}

void UploadSessions::count(Session& session, std::uint64_t bytes) {
  of_repository_.at(session.notes.repository).bytes += bytes - session.counted;
  session.counted = bytes;
}

std::shared_ptr<UploadSessions::Session> UploadSessions::find(const UploadKey& key) const {
  const auto found = sessions_.find(key.id);
  if (found == sessions_.end()) return nullptr;
  const auto& notes = found->second->notes;
  const bool own = notes.repository == key.repository && notes.principal == key.principal;
  return own ? found->second : nullptr;
}

UploadSessions::Hold UploadSessions::take(const std::shared_ptr<Session>& session) {
  session->held = true;
  warm_.erase(session->rest);
  return {shared_from_this(), session, std::move(session->spool)};
}

UploadSessions::Hold UploadSessions::hold(const UploadKey& key) {
  const std::lock_guard lock(mutex_);
  const auto session = find(key);
  if (!session) refuse_unknown();
  if (!session->held) return take(session);
  refuse_held(*session);
}

UploadSessions::Claim UploadSessions::claim(const UploadKey& key, const oci::Digest& digest) {
  Claim claim;
  const std::lock_guard lock(mutex_);
  const auto session = find(key);
  if (!session) return claim;
  if (!session->held) {
    claim.hold.emplace(take(session));
  } else if (session->closing == digest) {
    claim.closing = ends_.ticket();
  } else {
    refuse_held(*session);
  }
  return claim;
}

void UploadSessions::refuse_held(const Session& session) {
  oci::Refusal refusal(oci::ErrorCode::range_invalid, "somebody is writing to this upload");
  refusal.upload_offset = session.size;
  throw refusal;
}

std::optional<std::uint64_t> UploadSessions::size_of(const UploadKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto session = find(key);
  if (!session) return std::nullopt;
  return session->size;
}

UploadSessions::Ending UploadSessions::end(const UploadKey& key) {
  Ending ending;
  const std::lock_guard lock(mutex_);
  const auto session = find(key);
  if (!session) return ending;
  ending.marked = true;
  if (session->held) {
    session->ended = true;
    forget(*session);
  } else {
    ending.hold.emplace(take(session));
  }
  return ending;
}

std::vector<UploadSessions::Hold> UploadSessions::idle(base::SteadyTime before,
                                                       base::SteadyTime stopped_before,
                                                       std::size_t limit) {
  std::vector<Hold> found;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, session] : sessions_) {
    if (found.size() == limit) break;
    const auto since = session->stopped ? std::max(before, stopped_before) : before;
    if (!session->held && session->touched < since) found.push_back(take(session));
  }
  return found;
}

bool UploadSessions::contains(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return sessions_.contains(id);
}

std::size_t UploadSessions::count() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

void UploadSessions::give_back(const std::shared_ptr<Session>& session,
                               std::unique_ptr<store::Spool> spool, Fate fate) {
  std::unique_ptr<store::Spool> cooled;  // closed outside the lock
  bool was_closing = false;
  {
    const std::lock_guard lock(mutex_);
    was_closing = std::exchange(session->closing, std::nullopt).has_value();
    if (session->ended && fate == Fate::keep) fate = Fate::discard;
    if (fate != Fate::keep) {
      forget(*session);
    } else {
      session->held = false;
      session->touched = clock_.steady();
      if (spool) {
        session->size = spool->size();
        session->spool = std::move(spool);
        session->rest = ++rests_;
        warm_.emplace(session->rest, session);
      }
      count(*session, session->size);
      if (warm_.size() > most_warm) {
        cooled = std::move(warm_.begin()->second->spool);
        warm_.erase(warm_.begin());
      }
    }
  }
  if (was_closing) ends_.notify_all();
  if (fate != Fate::discard) return;
  try {
    // While the Spool is open only names go; the bytes follow where that may take its time.
    store_.discard_upload(session->id);
  } catch (const std::exception& error) {
    base::log::error("cannot discard an upload", {{"error", error.what()}});
  }
}

}  // namespace entrepot::registry
