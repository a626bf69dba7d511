// The sessions there are, who works on which, and how many anybody has. What is in their files is
// Uploads' business.
//
// A session is written to only by who holds it. It counts against quotas with the bytes that lie in
// its file or were promised room in it, until the index is about to count them. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/registry/policy.hpp"
#include "entrepot/registry/uploads.hpp"
#include "entrepot/store/blob_store.hpp"
#include "registry/upload_notes.hpp"

namespace entrepot::registry {

class UploadSessions : public std::enable_shared_from_this<UploadSessions> {
 public:
  UploadSessions(store::BlobStore& store, const base::Clock& clock, base::Metrics& metrics)
      : store_(store), clock_(clock), metrics_(metrics) {}

  struct Session;

  // The right to work on one session, given back when destroyed. What becomes of the session then:
  //   keep     it rests, with its Spool if there is one
  //   discard  it is over, its bytes go
  //   gone     it is over, its bytes went elsewhere
  enum class Fate { keep, discard, gone };
  class Hold {
   public:
    Hold(std::shared_ptr<UploadSessions> table, std::shared_ptr<Session> session,
         std::unique_ptr<store::Spool> spool);
    Hold(Hold&&) noexcept = default;
    Hold& operator=(Hold&&) = delete;
    ~Hold();

    const std::string& id() const;
    const UploadNotes& notes() const;
    std::uint64_t size() const;
    // The Spool has so many bytes now. Refuses when somebody has ended the session meanwhile.
    void grown(std::uint64_t size) const;
    // Room for `size` bytes in all, and for `ahead` more where there is plenty; answers for how
    // many. `room` was asked for before: what moves into the index meanwhile counts once or not at
    // all, never twice. Refuses as denied what is over a quota; the session stays as it is.
    std::uint64_t reserve(std::uint64_t size, std::uint64_t ahead, const Room& room) const;
    // The index is about to count its bytes; they count here again if the session rests.
    void hand_over() const;
    // All bytes are here, and it is to become this blob: who says so again waits for the outcome.
    void closing(const oci::Digest& digest) const;
    void end(Fate fate) { fate_ = fate; }

    std::unique_ptr<store::Spool> spool;  // null: to be resumed from its file

   private:
    std::shared_ptr<UploadSessions> table_;
    std::shared_ptr<Session> session_;
    Fate fate_ = Fate::keep;
  };

  // A new session, held. Refuses what would be too many (P-12), or could not have a single byte.
  Hold add(std::string id, UploadNotes notes, const Room& room);
  // One that an earlier run left.
  void add_found(std::string id, UploadNotes notes, std::uint64_t size, base::SteadyTime touched);

  // Refuses as blob_upload_unknown, or as range_invalid when somebody else holds it (P-07).
  Hold hold(const UploadKey& key);
  // For who ends it in this digest. Neither of the two: unknown.
  struct Claim {
    std::optional<Hold> hold;
    std::optional<std::uint64_t> closing;  // somebody else is just at it: a ticket for ends()
  };
  Claim claim(const UploadKey& key, const oci::Digest& digest);
  // Each time one that was closing is given back, whatever became of it.
  async::Broadcast& ends() { return ends_; }
  std::optional<std::uint64_t> size_of(const UploadKey& key) const;
  // Absent: unknown; also when somebody holds it, who then ends it: `marked` tells.
  struct Ending {
    bool marked = false;
    std::optional<Hold> hold;
  };
  Ending end(const UploadKey& key);
  // Up to `limit` that nobody has touched since `before`, or that a quota had stopped and nobody
  // has touched since `stopped_before`: what they have takes room from others.
  std::vector<Hold> idle(base::SteadyTime before, base::SteadyTime stopped_before,
                         std::size_t limit);

  bool contains(const std::string& id) const;
  std::size_t count() const;

 private:
  friend class Hold;

  // REQUIRES of all below: mutex_ held.
  std::shared_ptr<Session> find(const UploadKey& key) const;
  Hold take(const std::shared_ptr<Session>& session);
  [[noreturn]] static void refuse_held(const Session& session);
  void check_caps(const UploadNotes& notes, const Policy& policy) const;
  void insert(const std::shared_ptr<Session>& session);
  void forget(Session& session);
  void count(Session& session, std::uint64_t bytes);
  // In the open sessions of all repositories a quota counts.
  struct Open {
    std::size_t sessions = 0;
    std::uint64_t bytes = 0;
  };
  Open open_in(const Policy& policy, std::size_t quota) const;
  void check_room(const Room& room, std::uint64_t more) const;

  void give_back(const std::shared_ptr<Session>& session, std::unique_ptr<store::Spool> spool,
                 Fate fate);

  store::BlobStore& store_;
  const base::Clock& clock_;
  base::Metrics& metrics_;
  mutable std::mutex mutex_;  // guards everything below, and what Session says it does
  std::unordered_map<std::string, std::shared_ptr<Session>> sessions_;
  std::map<std::string, std::size_t> of_principal_;
  std::map<oci::RepositoryName, Open> of_repository_;
  // Resting sessions with an open Spool, the one that rests longest first.
  std::map<std::uint64_t, std::shared_ptr<Session>> warm_;
  std::uint64_t rests_ = 0;
  async::Broadcast ends_;
};

}  // namespace entrepot::registry
