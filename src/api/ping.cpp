// GET /v2/ (distribution-spec "Determining Support"). Whether it is a challenge instead is the
// Gate's word: a mirror for everybody has none, or clients would look for credentials they do not
// have for us (clients.md 5.6).
#include "api/call.hpp"
#include "api/paging.hpp"

namespace entrepot::api {

async::Task<http::Reply> answer_ping(Call) { co_return json_reply("application/json", "{}"); }

}  // namespace entrepot::api
