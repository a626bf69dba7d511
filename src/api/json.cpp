#include "api/json.hpp"

#include <boost/json/serialize.hpp>
#include <ctime>

namespace entrepot::api {

http::Reply fresh_json(int status, const boost::json::object& body) {
  auto reply = http::text_reply(status, "application/json", boost::json::serialize(body));
  reply.headers.set("X-Content-Type-Options", "nosniff");
  reply.headers.set("Cache-Control", "no-store");
  return reply;
}

std::string timestamp(base::WallTime time) {
  const std::time_t count =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm calendar{};
  ::gmtime_r(&count, &calendar);
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &calendar));
  return text;
}

}  // namespace entrepot::api
