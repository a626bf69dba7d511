// Work on digests that several ask for and that is to be done once, remembered with its end.
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <memory>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/async/task.hpp"
#include "entrepot/oci/digest.hpp"

namespace entrepot::registry {

// All on one executor. Work on one digest must not wait for work that waits for it.
class Once {
 public:
  // Does `work` unless it was begun before; returns when it has ended, throws what it threw.
  async::Task<> run(oci::Digest digest, std::function<async::Task<>()> work);

 private:
  struct Flight {
    bool over = false;
    std::exception_ptr failure;
    async::Broadcast ended;
  };
  static async::Task<> lead(std::shared_ptr<Flight> flight, std::function<async::Task<>()> work);

  std::map<oci::Digest, std::shared_ptr<Flight>> flights_;
};

}  // namespace entrepot::registry
