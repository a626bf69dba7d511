// Who we say we are: "entrepot/VERSION".
#pragma once

#include <string_view>

namespace entrepot::notify {

std::string_view user_agent();

}  // namespace entrepot::notify
