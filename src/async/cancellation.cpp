#include "entrepot/async/cancellation.hpp"

namespace entrepot::async {

Task<> ignore_cancellation() {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
}

Task<> heed_cancellation() {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

}  // namespace entrepot::async
