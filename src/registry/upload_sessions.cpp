#include "registry/upload_sessions.hpp"

#include <utility>

#include "entrepot/base/log.hpp"
#include "entrepot/oci/refusal.hpp"

namespace entrepot::registry {
namespace {

// Each costs a descriptor; resuming one without it costs hashing what it has.
constexpr std::size_t most_warm = 128;
constexpr std::chrono::seconds try_again_after{10};

[[noreturn]] void refuse_unknown() { throw oci::Refusal(oci::ErrorCode::blob_upload_unknown); }

[[noreturn]] void refuse_too_many(const std::string& whose) {
  oci::Refusal refusal(oci::ErrorCode::too_many_requests, "too many uploads " + whose);
  refusal.retry_after = try_again_after;
  throw refusal;
}

template <class Key>
void subtract(std::map<Key, std::size_t>& counts, const Key& key) {
  const auto found = counts.find(key);
  if (found != counts.end() && --found->second == 0) counts.erase(found);
}

}  // namespace

struct UploadSessions::Session {
  const std::string id;
  const UploadNotes notes;
  // Guarded by the table's mutex.
  std::uint64_t size = 0;
  base::SteadyTime touched;
  bool held = false;
  bool ended = false;                     // by somebody else than its holder
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
}

// ---- the table --------------------------------------------------------------------------------

UploadSessions::Hold UploadSessions::add(std::string id, UploadNotes notes, const Policy& policy) {
  const std::lock_guard lock(mutex_);
  check_caps(notes, policy);
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
    std::size_t open = 0;
    for (const auto& [repository, count] : of_repository_) {
      if (policy.counts(number, repository)) open += count;
    }
    if (open >= *allowed) {
      throw oci::Refusal(oci::ErrorCode::denied, "quota exceeded: " + std::to_string(*allowed) +
                                                     " uploads at once allowed");
    }
  }
}

void UploadSessions::insert(const std::shared_ptr<Session>& session) {
  if (!sessions_.emplace(session->id, session).second) return;
  metrics_.upload_opened();
  ++of_principal_[session->notes.principal];
  ++of_repository_[session->notes.repository];
}

void UploadSessions::forget(const Session& session) {
  if (sessions_.erase(session.id) == 0) return;
  metrics_.upload_ended();
  subtract(of_principal_, session.notes.principal);
  subtract(of_repository_, session.notes.repository);
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
  oci::Refusal refusal(oci::ErrorCode::range_invalid, "somebody is writing to this upload");
  refusal.upload_offset = session->size;
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

std::vector<UploadSessions::Hold> UploadSessions::idle(base::SteadyTime before, std::size_t limit) {
  std::vector<Hold> found;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, session] : sessions_) {
    if (found.size() == limit) break;
    if (!session->held && session->touched < before) found.push_back(take(session));
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
  {
    const std::lock_guard lock(mutex_);
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
      if (warm_.size() > most_warm) {
        cooled = std::move(warm_.begin()->second->spool);
        warm_.erase(warm_.begin());
      }
    }
  }
  if (fate != Fate::discard) return;
  try {
    // While the Spool is open only names go; the bytes follow where that may take its time.
    store_.discard_upload(session->id);
  } catch (const std::exception& error) {
    base::log::error("cannot discard an upload", {{"error", error.what()}});
  }
}

}  // namespace entrepot::registry
