#include "upstream/user_agent.hpp"

namespace entrepot::upstream {

std::string_view user_agent() { return "entrepot/" ENTREPOT_VERSION; }

}  // namespace entrepot::upstream
