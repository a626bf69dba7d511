#include "api/actor.hpp"

#include <vector>

#include "entrepot/base/log.hpp"

namespace entrepot::api {

index::Actor actor_of(const Call& call) {
  const auto& request = call.request;
  const auto header = [&](std::string_view name) {
    return std::string(request.headers.get(name).value_or(""));
  };
  const auto& address = call.house.external_url;
  return {.name = call.grant.principal().name,
          .address = request.remote,
          .request_id = request.id,
          .method = request.method,
          .host = header("Host"),
          .user_agent = header("User-Agent"),
          .origin = address.empty() ? request.origin : address};
}

registry::TagMove tag_move(const Call& call) {
  const auto& who = call.grant.principal();
  const bool may_move = call.house.reading.gate.may(who, auth::Right::push, call.repository());
  return may_move ? registry::TagMove::allowed : registry::TagMove::refused;
}

void audit(const Call& call, const Deed& deed) {
  std::vector<base::log::Field> fields{{"id", call.request.id},
                                       {"who", call.grant.principal().name},
                                       {"remote", call.request.remote},
                                       {"what", deed.action}};
  const auto add = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) fields.emplace_back(key, value);
  };
  add("repository", deed.repository);
  add("tag", deed.tag);
  add("digest", deed.digest);
  add("rule", deed.rule);
  base::log::write(base::log::Level::info, "audit", fields);
}

}  // namespace entrepot::api
