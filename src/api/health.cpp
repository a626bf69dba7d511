// GET /healthz (the process answers) and /readyz (it can serve): reliability.md O-06.
#include "api/call.hpp"

namespace entrepot::api {
namespace {

http::Reply plain(int status, std::string text) {
  auto reply = http::text_reply(status, "text/plain; charset=utf-8", std::move(text));
  reply.headers.set("X-Content-Type-Options", "nosniff");
  reply.headers.set("Cache-Control", "no-store");
  return reply;
}

}  // namespace

async::Task<http::Reply> answer_health(Call) { co_return plain(200, "ok\n"); }

async::Task<http::Reply> answer_readiness(Call call) {
  auto reason = call.house.unready ? call.house.unready() : std::string{};
  co_return reason.empty() ? plain(200, "ready\n") : plain(503, reason + '\n');
}

}  // namespace entrepot::api
