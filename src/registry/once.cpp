#include "registry/once.hpp"

#include <utility>

namespace entrepot::registry {

async::Task<> Once::run(oci::Digest digest, std::function<async::Task<>()> work) {
  auto& slot = flights_[digest];
  if (!slot) {
    slot = std::make_shared<Flight>();
    co_await lead(slot, std::move(work));
    co_return;
  }
  const auto flight = slot;
  while (!flight->over) co_await flight->ended.wait(flight->ended.ticket());
  if (flight->failure) std::rethrow_exception(flight->failure);
}

async::Task<> Once::lead(std::shared_ptr<Flight> flight, std::function<async::Task<>()> work) {
  try {
    co_await work();
  } catch (...) {
    flight->failure = std::current_exception();
  }
  flight->over = true;
  flight->ended.notify_all();
  if (flight->failure) std::rethrow_exception(flight->failure);
}

}  // namespace entrepot::registry
