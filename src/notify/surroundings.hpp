// What every task of this room works with. Outlived by what it refers to.
#pragma once

#include <string>
#include <utility>

#include "entrepot/async/broadcast.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/http/client.hpp"
#include "entrepot/index/index.hpp"

namespace entrepot::notify {

struct Surroundings {
  Surroundings(index::Index& facts, http::Client& sender, const base::Clock& time,
               base::Metrics& counters, std::string name)
      : index(facts), client(sender), clock(time), metrics(counters), instance(std::move(name)) {}

  index::Index& index;
  http::Client& client;
  const base::Clock& clock;
  base::Metrics& metrics;
  const std::string instance;
  async::Broadcast written;  // event rows were added: couriers look
  async::Broadcast stirred;  // there is something to write down or to drop: the clerk looks
};

}  // namespace entrepot::notify
