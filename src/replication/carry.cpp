#include "replication/carry.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "entrepot/oci/refusal.hpp"

namespace entrepot::replication {

namespace {

constexpr std::chrono::seconds rest_without_word(60);
constexpr std::chrono::seconds longest_rest(std::chrono::hours(6));

registry::CopyOrder order_of(const Errand& errand, Image image) {
  const auto& rule = errand.rule->rule();
  registry::CopyOrder order{
      .from_name = std::move(image.from), .manifest = image.digest, .to_name = std::move(image.to)};
  order.tags = std::move(image.tags);
  order.version = std::move(image.version);
  order.options.platforms = rule.platforms;
  order.options.sparse_source = errand.from.feed != nullptr;
  order.options.referrers = image.referrers.value_or(rule.referrers);
  return order;
}

// Who asked for it is left alone, by all rules; both when that is not known. Never our own
// registry, which asks nobody for it.
void rest(const Errand& errand, const registry::Failure& failure) {
  const auto asked = std::clamp(failure.retry_after.value_or(rest_without_word),
                                std::chrono::seconds(1), longest_rest);
  const auto& rule = errand.rule->rule();
  const auto until = errand.now() + asked;
  using registry::Whose;
  const bool source = failure.whose != Whose::sink || rule.to == here;
  const bool sink = failure.whose != Whose::source || rule.from == here;
  if (source && rule.from != here) errand.rests->extend(rule.from, until);
  if (sink && rule.to != here) errand.rests->extend(rule.to, until);
}

std::unexpected<registry::Failure> broken(const std::exception& error) {
  return std::unexpected(
      registry::Failure{.kind = registry::FailureKind::broken, .message = error.what()});
}

// Bytes of one copy that are known and not here: on the board as long as it lives.
class Missing {
 public:
  explicit Missing(Errand& errand) : errand_(errand) {}
  ~Missing() { add(-bytes_); }
  Missing(const Missing&) = delete;
  Missing& operator=(const Missing&) = delete;

  // What came twice does not count below nothing.
  void add(std::int64_t bytes) {
    const auto change = std::max(bytes, -bytes_);
    bytes_ += change;
    errand_.board.change([change](RuleStatus& status) {
      status.waiting_bytes += static_cast<std::uint64_t>(change);  // modulo 2^64
    });
  }

 private:
  Errand& errand_;
  std::int64_t bytes_ = 0;
};

// One item's trouble is no other's.
async::Task<registry::Answer<registry::CopyTally>> guarded(
    async::Task<registry::Answer<registry::CopyTally>> work) {
  try {
    co_return co_await std::move(work);
  } catch (const CalledOff&) {
    throw;
  } catch (const oci::Refusal& refusal) {
    co_return std::unexpected(registry::failure_of(refusal));
  } catch (const boost::system::system_error& error) {
    if (error.code() == async::asio::error::operation_aborted) throw;
    co_return broken(error);
  } catch (const std::exception& error) {
    co_return broken(error);
  }
}

}  // namespace

async::Task<registry::Answer<registry::CopyTally>> carry(SharedErrand errand, Image image,
                                                         std::function<void(std::uint64_t)> moved,
                                                         std::function<bool()> called_off) {
  auto order = order_of(*errand, std::move(image));
  order.seen = errand->seen;
  order.moved = [errand, moved = std::move(moved),
                 called_off = std::move(called_off)](std::uint64_t bytes) {
    errand->house.metrics.replication_bytes(errand->name(), bytes);
    if (moved) moved(bytes);
    if (errand->stopping || (called_off && called_off())) throw CalledOff();
  };
  Missing missing(*errand);
  order.missing = [&missing](std::int64_t bytes) { missing.add(bytes); };
  auto answer =
      co_await guarded(registry::copy(*errand->from.place, *errand->to.place, std::move(order)));
  if (answer) {
    errand->board.change([&answer](RuleStatus& status) { status.total += *answer; });
  } else if (answer.error().kind == registry::FailureKind::throttled) {
    rest(*errand, answer.error());
  }
  co_return answer;
}

async::Task<registry::Answer<registry::CopyTally>> weigh(
    SharedErrand errand, Image image, std::shared_ptr<registry::Sightings> counted) {
  auto order = order_of(*errand, std::move(image));
  order.seen = std::move(counted);
  co_return co_await guarded(
      registry::estimate(*errand->from.place, *errand->to.place, std::move(order)));
}

base::WallTime resting_until(const Errand& errand) {
  const auto& rule = errand.rule->rule();
  return std::max(errand.rests->until(rule.from), errand.rests->until(rule.to));
}

}  // namespace entrepot::replication
