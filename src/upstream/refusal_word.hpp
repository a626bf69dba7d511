// What a registry says beside a status (distribution-spec "Error Codes"). Pure.
#pragma once

#include <string>
#include <string_view>

namespace entrepot::upstream {

// " (MANIFEST_BLOB_UNKNOWN)", the code of the first error of `body`; empty when there is none. Not
// its message, which may say anything.
std::string refusal_word(std::string_view body);

}  // namespace entrepot::upstream
