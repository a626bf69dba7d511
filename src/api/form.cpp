#include "api/form.hpp"

#include "entrepot/http/target.hpp"

namespace entrepot::api {

std::string Form::value(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (key == name) return value;
  }
  return {};
}

std::vector<std::string> Form::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : fields_) {
    if (key == name) values.push_back(value);
  }
  return values;
}

std::optional<Form> parse_form(std::string_view text) {
  // A query in all but its blanks.
  std::string query = "/?";
  for (const char c : text) {
    if (c == '+') {
      query += "%20";
    } else {
      query += c;
    }
  }
  auto target = http::parse_target(query);
  if (!target) return std::nullopt;
  return Form(std::move(target->query));
}

}  // namespace entrepot::api
