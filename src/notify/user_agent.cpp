#include "notify/user_agent.hpp"

namespace entrepot::notify {

std::string_view user_agent() { return "entrepot/" ENTREPOT_VERSION; }

}  // namespace entrepot::notify
