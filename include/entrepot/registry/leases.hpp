// Promises given to clients, which the collector must not break (reliability.md rules 32 to 34).
//
// Whoever answers "this is here" to somebody who may build on it (blob HEAD 200, upload 201, mount
// 201, a manifest read by one who may push) takes the lease first and reads the index after. The
// collector closes the digest, judges it inside its transaction, and opens it again after the
// commit; a lease asked for meanwhile waits and then reads what was decided. So there is no moment
// between a positive answer and a removal.
//
// A promise is open until its client has stored a manifest that lists the content: that holds it
// from then on, and the promise was kept. Another promise to the same client may hide behind it
// (two builds on one machine), so a kept one still counts for the collector's grace. A negative
// answer gives its promise back at once. So what is deleted right after its push can be collected
// at once by who asks for no grace.
//
// In memory: after a start nothing is collected for one whole lease time, so what was forgotten has
// run out (rule 33), unless the promises of the run before are known, or there was none. Time is
// that of a clock that does not run while the process stands still
// (K-05). Thread-safe, one mutex, some hundred bytes a digest.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/index/events.hpp"
#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::registry {

// Who was promised something: one client at work in one repository. Only what the same one was
// promised can be given back.
enum class Promisee : std::uint64_t { nobody_known = 0 };
Promisee promisee(const oci::RepositoryName& repository, const index::Actor& actor);

class LeaseTable {
 public:
  static constexpr std::chrono::milliseconds longest = std::chrono::days(365);

  explicit LeaseTable(std::chrono::milliseconds length,
                      const base::Clock& clock = base::system_clock());
  ~LeaseTable();
  LeaseTable(const LeaseTable&) = delete;
  LeaseTable& operator=(const LeaseTable&) = delete;

  // Kept for one lease time from now on. Returns once no judgement of this digest runs.
  async::Task<> take(oci::Digest digest, Promisee to = Promisee::nobody_known);
  // For one who cannot wait (inside an index transaction's caller): true when it was leased, false
  // while a judgement runs.
  bool try_take(const oci::Digest& digest, Promisee to = Promisee::nobody_known);

  // One promise to this one less; the lease ends with the last one. None is fine.
  void give_back(const oci::Digest& digest, Promisee to);
  // All promises to this one were kept.
  void kept(const oci::Digest& digest, Promisee to);

  // Whether a promise is open, or was kept less than `grace` ago; both for a lease time at most.
  bool leased(const oci::Digest& digest, std::chrono::milliseconds grace = longest) const;
  // Whether every promise that may still be relied on is known: one lease time has passed since the
  // start, not counting standstills, or arm() was called.
  bool armed() const;
  // `outstanding`: all promises of the run before; empty when there was none. Each is renewed.
  void arm(const std::vector<oci::Digest>& outstanding);
  std::vector<oci::Digest> outstanding() const;

  // A judgement; open again when destroyed. Empty when the digest is leased or being judged.
  class Judgement {
   public:
    Judgement() = default;
    Judgement(Judgement&& other) noexcept = default;
    Judgement& operator=(Judgement&&) noexcept;
    ~Judgement();
    explicit operator bool() const { return table_ != nullptr; }

   private:
    friend class LeaseTable;
    struct State;
    std::shared_ptr<State> table_;
    std::shared_ptr<const oci::Digest> digest_;
  };
  Judgement close(const oci::Digest& digest, std::chrono::milliseconds grace = longest);

  // Advances the clock and drops what has run out: called every second by the app; a longer gap
  // counts as two seconds.
  void tick();
  // Digests remembered.
  std::size_t size() const;
  // Rows in memory: beside those of the digests, what is left of leases given back; at most some
  // thousand and twice as many as digests.
  std::size_t rows() const;

 private:
  std::shared_ptr<Judgement::State> state_;
};

}  // namespace entrepot::registry
