#include "http/curl_loop.hpp"

#include <boost/asio/any_io_executor.hpp>

namespace asio = boost::asio;

namespace entrepot::http {

std::shared_ptr<CurlMulti> CurlLoop::multi(const async::Executor& executor,
                                           const std::shared_ptr<const Transport>& transport,
                                           AddressPolicy addresses) {
  asio::execution_context& context = asio::query(executor, asio::execution::context);
  auto& loop = asio::use_service<CurlLoop>(context);
  auto& slot = loop.multis_[Key(transport, addresses)];
  if (!slot) slot = std::make_shared<CurlMulti>(executor);
  return slot;
}

void CurlLoop::shutdown() {
  for (auto& [key, multi] : multis_) multi->close();
  multis_.clear();
}

}  // namespace entrepot::http
