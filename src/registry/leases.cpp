#include "entrepot/registry/leases.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "entrepot/async/broadcast.hpp"

namespace entrepot::registry {

namespace {
using std::chrono::milliseconds;
// More than that between two looks at the clock is a standstill of the process, not time in which a
// client could have built on what it was told.
constexpr milliseconds longest_step{2000};
// Of leases given back, before they are swept: each is some eighty bytes.
constexpr std::size_t idle_endings = 4096;
}  // namespace

Promisee promisee(const oci::RepositoryName& repository, const index::Actor& actor) {
  std::string words = repository.text();
  words.append(1, '\0').append(actor.name).append(1, '\0').append(actor.address);
  return static_cast<Promisee>(std::hash<std::string>{}(words) | 1);
}

struct LeaseTable::Judgement::State {
  State(milliseconds lease_length, const base::Clock& steady_clock)
      : length(lease_length), clock(steady_clock), looked(clock.steady()) {}

  // Of our own clock: since the start, without standstills. REQUIRES: mutex held.
  milliseconds now() const {
    const auto step = std::chrono::duration_cast<milliseconds>(clock.steady() - looked);
    return passed + std::clamp(step, milliseconds::zero(), longest_step);
  }
  bool leased(const oci::Digest& digest, milliseconds grace) const {
    const auto found = leases.find(digest);
    if (found == leases.end() || found->second.until <= now()) return false;
    const auto& lease = found->second;
    return !lease.promised.empty() || (lease.kept && now() - *lease.kept < grace);
  }
  void lease(const oci::Digest& digest, Promisee to) {
    auto& lease = leases[digest];
    lease.until = now() + length;
    if (lease.promised.empty() && !lease.kept) watch(digest, lease);
    ++lease.promised[to];
  }
  void give_back(const oci::Digest& digest, Promisee to) {
    const auto found = leases.find(digest);
    if (found == leases.end()) return;
    auto& promised = found->second.promised;
    const auto mine = promised.find(to);
    if (mine != promised.end() && --mine->second == 0) promised.erase(mine);
    if (!promised.empty() || found->second.kept) return;
    leases.erase(found);
    if (endings.size() > 2 * leases.size() + idle_endings) watch_anew();
  }
  void watch_anew() {
    endings = {};
    for (auto& [digest, lease] : leases) watch(digest, lease);
  }
  void keep(const oci::Digest& digest, Promisee to) {
    const auto found = leases.find(digest);
    if (found != leases.end() && found->second.promised.erase(to) > 0) found->second.kept = now();
  }
  void step() {
    passed = now();
    looked = clock.steady();
  }
  void drop_ended();

  struct Lease {
    milliseconds until{};
    std::map<Promisee, std::uint64_t> promised;  // open ones
    std::optional<milliseconds> kept;            // when one was last kept
    milliseconds watched{};                      // its entry in endings
  };
  void watch(const oci::Digest& digest, Lease& lease) {
    lease.watched = lease.until;
    endings.emplace(lease.until, digest);
  }

  const milliseconds length;
  const base::Clock& clock;
  mutable std::mutex mutex;  // guards everything below
  milliseconds passed{};
  base::SteadyTime looked;
  bool armed = false;  // before its time, by arm()
  std::unordered_map<oci::Digest, Lease> leases;
  // An end that a lease had, the earliest first; one that was given back meanwhile is passed over.
  using Ending = std::pair<milliseconds, oci::Digest>;
  std::priority_queue<Ending, std::vector<Ending>, std::greater<>> endings;
  std::unordered_set<oci::Digest> judged;
  async::Broadcast judgement_over;
};

void LeaseTable::Judgement::State::drop_ended() {
  const auto moment = now();
  while (!endings.empty() && endings.top().first <= moment) {
    const auto [end, digest] = endings.top();
    endings.pop();
    const auto found = leases.find(digest);
    if (found == leases.end() || found->second.watched != end) continue;
    if (found->second.until > moment) {
      watch(digest, found->second);  // taken again since
    } else {
      leases.erase(found);
    }
  }
}

LeaseTable::LeaseTable(milliseconds length, const base::Clock& clock)
    : state_(std::make_shared<Judgement::State>(length, clock)) {}
LeaseTable::~LeaseTable() = default;

async::Task<> LeaseTable::take(oci::Digest digest, Promisee to) {
  const auto state = state_;
  for (;;) {
    std::uint64_t ticket = 0;
    {
      const std::lock_guard lock(state->mutex);
      if (!state->judged.contains(digest)) {
        state->lease(digest, to);
        co_return;
      }
      ticket = state->judgement_over.ticket();
    }
    co_await state->judgement_over.wait(ticket);
  }
}

bool LeaseTable::try_take(const oci::Digest& digest, Promisee to) {
  const std::lock_guard lock(state_->mutex);
  if (state_->judged.contains(digest)) return false;
  state_->lease(digest, to);
  return true;
}

void LeaseTable::give_back(const oci::Digest& digest, Promisee to) {
  const std::lock_guard lock(state_->mutex);
  state_->give_back(digest, to);
}

void LeaseTable::kept(const oci::Digest& digest, Promisee to) {
  const std::lock_guard lock(state_->mutex);
  state_->keep(digest, to);
}

bool LeaseTable::leased(const oci::Digest& digest, milliseconds grace) const {
  const std::lock_guard lock(state_->mutex);
  return state_->leased(digest, grace);
}

bool LeaseTable::armed() const {
  const std::lock_guard lock(state_->mutex);
  return state_->armed || state_->now() >= state_->length;
}

void LeaseTable::arm(const std::vector<oci::Digest>& outstanding) {
  const std::lock_guard lock(state_->mutex);
  for (const auto& digest : outstanding) state_->lease(digest, Promisee::nobody_known);
  state_->armed = true;
}

std::vector<oci::Digest> LeaseTable::outstanding() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<oci::Digest> digests;
  digests.reserve(state_->leases.size());
  for (const auto& [digest, lease] : state_->leases) {
    if (state_->leased(digest, longest)) digests.push_back(digest);
  }
  return digests;
}

LeaseTable::Judgement LeaseTable::close(const oci::Digest& digest, milliseconds grace) {
  Judgement judgement;
  const auto named = std::make_shared<const oci::Digest>(digest);
  const std::lock_guard lock(state_->mutex);
  if (state_->leased(digest, grace) || !state_->judged.insert(digest).second) return judgement;
  judgement.table_ = state_;
  judgement.digest_ = named;
  return judgement;
}

LeaseTable::Judgement& LeaseTable::Judgement::operator=(Judgement&& other) noexcept {
  Judgement before(std::move(*this));
  table_ = std::move(other.table_);
  digest_ = std::move(other.digest_);
  return *this;
}

LeaseTable::Judgement::~Judgement() {
  if (!table_) return;
  {
    const std::lock_guard lock(table_->mutex);
    table_->judged.erase(*digest_);
  }
  table_->judgement_over.notify_all();
}

void LeaseTable::tick() {
  const std::lock_guard lock(state_->mutex);
  state_->step();
  state_->drop_ended();
}

std::size_t LeaseTable::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->leases.size();
}

std::size_t LeaseTable::rows() const {
  const std::lock_guard lock(state_->mutex);
  return state_->leases.size() + state_->endings.size();
}

}  // namespace entrepot::registry
