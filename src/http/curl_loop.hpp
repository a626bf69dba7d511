// The curl multi handles of one io_context: a service of it, so that they end with it, before the
// descriptors and timers they use.
//
// There is one handle for each pair of transport and address policy, because a connection is only
// reused inside its handle: what was opened under `any` can never carry a `public_only` exchange,
// and no two upstreams (accounts, client certificates) share one (reliability.md U-08, U-15).
#pragma once

#include <boost/asio/execution_context.hpp>
#include <map>
#include <memory>
#include <utility>

#include "entrepot/http/client.hpp"
#include "http/curl_multi.hpp"

namespace entrepot::http {

class CurlLoop : public boost::asio::execution_context::service {
 public:
  static inline boost::asio::execution_context::id id;

  explicit CurlLoop(boost::asio::execution_context& context)
      : boost::asio::execution_context::service(context) {}

  // The handle for such exchanges on the io_context of `executor`, whose thread must call this.
  static std::shared_ptr<CurlMulti> multi(const async::Executor& executor,
                                          const std::shared_ptr<const Transport>& transport,
                                          AddressPolicy addresses);

 private:
  void shutdown() override;

  // Holding the transport keeps its address from being given to another one.
  using Key = std::pair<std::shared_ptr<const Transport>, AddressPolicy>;
  std::map<Key, std::shared_ptr<CurlMulti>> multis_;
};

}  // namespace entrepot::http
