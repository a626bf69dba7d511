// The parsers of room api: what clients write into a path, a form or a Content-Range. The first
// byte of an input chooses one, the rest is its input.
#include <cstdlib>
#include <string>

#include "api/content_range.hpp"
#include "api/endpoint.hpp"
#include "api/form.hpp"

namespace {

using namespace entrepot;

void require(bool promise) {
  if (!promise) std::abort();
}

void fuzz_path(std::string_view path) {
  const auto found = api::match(api::registry_endpoints(), path);
  if (found.lines.empty()) return;
  for (const auto part : {found.upstream, found.name, found.argument}) {
    require(part.empty() ||
            (part.data() >= path.data() && part.data() + part.size() <= path.data() + path.size()));
  }
  require(!found.argument.contains('/'));
  // A name is found exactly where the pattern has one.
  require(found.name.empty() != found.lines.front().pattern.starts_with("/v2/<name>"));
  require(api::serving(found, "HEAD") == api::serving(found, "GET"));
}

void fuzz_content_range(std::string_view text) {
  const auto range = api::parse_content_range(text);
  if (!range) return;
  require(range->length > 0 && range->first + range->length > range->first);
}

void fuzz_form(std::string_view text) {
  const auto form = api::parse_form(text);
  if (!form) return;
  require(form->all("scope").empty() || form->all("scope").front() == form->value("scope"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      fuzz_path(text);
      break;
    case 1:
      fuzz_content_range(text);
      break;
    default:
      fuzz_form(text);
  }
  return 0;
}
