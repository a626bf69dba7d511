// GET /v2/ (distribution-spec "Determining Support"). Never a challenge: mirroring is anonymous,
// and a client told to log in would look for credentials it does not have for us (clients.md 5.6).
#include "api/call.hpp"
#include "api/paging.hpp"

namespace entrepot::api {

async::Task<http::Reply> answer_ping(Call) { co_return json_reply("application/json", "{}"); }

}  // namespace entrepot::api
