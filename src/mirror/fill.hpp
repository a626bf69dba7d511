// Fill: what everybody may see of one download of one digest. The download itself, with its Spool,
// is the business of Download; readers are Followers.
//
// Followers read the growing file up to `readable`. Until the digest is proven the tail of the blob
// is withheld, so nobody can complete a body that turns out wrong (reliability.md rule 19); then
// everything is published at once, before the disk has confirmed anything, because the clients need
// not wait for that. Each outcome reaches every follower. Thread-safe; never blocks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/base/unique_fd.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/name.hpp"
#include "entrepot/registry/source.hpp"

namespace entrepot::mirror {

// Where a blob comes from, for one repository.
struct Origin {
  registry::Source* upstream = nullptr;  // outlives every fill
  std::string upstream_name;
  oci::RepositoryName name;       // at the upstream
  oci::RepositoryName canonical;  // here
  oci::Digest digest;
  std::optional<std::uint64_t> size{};  // from a descriptor seen in this repository
};

// How many bytes of a blob of `total` may be given out before its digest is proven.
std::uint64_t readable_unproven(std::uint64_t total);

// Where one who cannot use the Spool any more takes over (reliability.md C-11).
struct Remainder {
  std::shared_ptr<const base::UniqueFd> file;  // holds bytes [0, written); null when written is 0
  std::uint64_t written = 0;
  std::shared_ptr<const oci::Hasher> hasher;  // over those bytes
};

enum class FillState {
  running,
  proven,      // every byte is there and right
  failed,      // cut every reader off
  unstorable,  // the disk refuses; go on without it from the Remainder
  superseded,  // the blob is held by now: look there
};

class Fill {
 public:
  explicit Fill(const Origin& origin);

  // ---- readers --------------------------------------------------------------------------------

  struct Progress {
    FillState state = FillState::running;
    std::optional<std::uint64_t> total;  // absent until upstream has answered
    std::uint64_t readable = 0;
    std::uint64_t generation = 0;  // grows when the bytes given out so far turned out wrong
    std::shared_ptr<const base::UniqueFd> file;
    std::optional<registry::Failure> failure;  // failed
    Remainder remainder;                       // unstorable
    std::uint64_t ticket = 0;                  // to wait for a change of the above
  };
  Progress progress() const;
  async::Task<bool> wait(std::uint64_t ticket) { return changed_.wait(ticket); }

  // Until there is something to answer with: bytes in hand, or an end. (A 200 is promised to
  // nobody before; reliability.md section 0.3.) Absent when there is nothing within `longest`.
  async::Task<std::optional<Progress>> opened(std::chrono::milliseconds longest);

  const oci::Digest& digest() const { return digest_; }
  const std::string& upstream_name() const { return upstream_name_; }
  const oci::RepositoryName& starter() const { return starter_; }

  // ---- admission ------------------------------------------------------------------------------

  enum class Admission { admitted, stranger, closed };
  // Takes a seat for a repository. `stranger`: it has not earned this digest here yet. `closed`:
  // the fill is ending without a blob; wait until it is out of the table.
  enum class Entitled { no, yes };
  Admission admit(const oci::RepositoryName& repository, Entitled entitled);
  void leave();
  // Until it is out of the table; false when it is not within `longest`.
  async::Task<bool> gone(std::chrono::milliseconds longest);

  // ---- the download ---------------------------------------------------------------------------

  void open(std::uint64_t total, std::shared_ptr<const base::UniqueFd> file, std::uint64_t written);
  void restart(std::shared_ptr<const base::UniqueFd> file);
  void publish(std::uint64_t written);
  void prove();
  void fail(registry::Failure failure);
  void give_over(Remainder remainder);
  void supersede();

  // From now on nobody is admitted.
  void close();
  // It is out of the table: those who could not enter may look again.
  void leave_table();
  // The same as close(), unless somebody is reading; true when closed.
  bool close_if_deserted();
  // Repositories that earned the digest through this fill, as of now.
  std::set<oci::RepositoryName> repositories() const;
  // Closes unless repositories beyond `linked` were admitted meanwhile; true when closed.
  bool close_if_all_in(const std::set<oci::RepositoryName>& linked);

 private:
  void end(FillState state);

  const oci::Digest digest_;
  const std::string upstream_name_;
  const oci::RepositoryName starter_;

  mutable std::mutex mutex_;  // guards everything below
  Progress state_;
  std::uint64_t seats_ = 0;
  bool closed_ = false;
  bool gone_ = false;
  std::set<oci::RepositoryName> repositories_;
  async::Broadcast changed_;  // notified after each change, outside the mutex
  async::Broadcast left_;     // the same, of gone_
};

// A reader's place at a Fill, counted while it lives (the rule of C-08).
class Seat {
 public:
  // Takes over a place that admit() gave.
  explicit Seat(std::shared_ptr<Fill> admitted) : fill_(std::move(admitted)) {}
  Seat(Seat&&) noexcept = default;
  Seat& operator=(Seat&&) = delete;
  ~Seat() {
    if (fill_) fill_->leave();
  }

  Fill& fill() const { return *fill_; }

 private:
  std::shared_ptr<Fill> fill_;
};

}  // namespace entrepot::mirror
