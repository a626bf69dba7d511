// Who is just moving which digest: one at a time in the process, whatever rule or place it is for,
// so that nothing crosses a line twice; the others wait and then find it here.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "entrepot/async/task.hpp"
#include "entrepot/oci/digest.hpp"

namespace entrepot::registry {

// Thread-safe; turns may outlive it.
class Movers {
 public:
  Movers();
  ~Movers();
  Movers(const Movers&) = delete;
  Movers& operator=(const Movers&) = delete;

  // Until it is destroyed.
  class Turn {
   public:
    Turn(Turn&&) noexcept;
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    friend class Movers;
    struct State;
    explicit Turn(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
  };
  // First come, first served; absent when it was not our turn within `longest`.
  async::Task<std::optional<Turn>> turn(oci::Digest digest, std::chrono::milliseconds longest);

 private:
  struct Table;
  std::shared_ptr<Table> table_;
};

}  // namespace entrepot::registry
