#include "replication/follower.hpp"

#include "entrepot/oci/refusal.hpp"

namespace entrepot::replication {

async::Task<> follow(SharedErrand errand) {
  while (!errand->stopping) co_await async::sleep_for(std::chrono::seconds(1));
}

async::Task<RunReport> catch_up(SharedErrand /*errand*/, RunListener /*listener*/) {
  throw oci::Refusal(oci::ErrorCode::unavailable, "following is not built in yet");
  co_return RunReport{};
}

}  // namespace entrepot::replication
