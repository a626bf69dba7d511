// A form as OAuth2 posts it (application/x-www-form-urlencoded; WHATWG URL "urlencoded parsing").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace entrepot::api {

class Form {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  explicit Form(Fields fields) : fields_(std::move(fields)) {}

  // The first field of that name; empty when there is none.
  std::string value(std::string_view name) const;
  // Every field of that name, in order.
  std::vector<std::string> all(std::string_view name) const;

 private:
  Fields fields_;
};

// Pure. Absent when an escape cannot be decoded cleanly.
std::optional<Form> parse_form(std::string_view text);

}  // namespace entrepot::api
