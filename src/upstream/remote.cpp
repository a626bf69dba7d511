#include "entrepot/upstream/remote.hpp"

#include "upstream/reader.hpp"

namespace entrepot::upstream {

std::unique_ptr<registry::Source> connect(RemoteOptions options, http::Client& client,
                                          async::BlockingPool& pool, const base::Clock& clock,
                                          base::Metrics& metrics) {
  return std::make_unique<Reader<registry::Source>>(
      std::make_shared<Asker>(options, client, pool, clock, metrics));
}

}  // namespace entrepot::upstream
