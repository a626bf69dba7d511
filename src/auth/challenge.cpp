#include "auth/challenge.hpp"

namespace entrepot::auth {
namespace {

std::string parameter(std::string_view name, std::string_view value) {
  std::string text(name);
  text += "=\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    if (c >= ' ' && c != '\x7f') text += c;
  }
  return text + '"';
}

}  // namespace

std::string basic_challenge(std::string_view realm) {
  return "Basic " + parameter("realm", realm) + R"(, charset="UTF-8")";
}

std::string bearer_challenge(const BearerChallenge& challenge) {
  std::string text = "Bearer " + parameter("realm", challenge.realm);
  if (!challenge.service.empty()) text += "," + parameter("service", challenge.service);
  if (!challenge.scope.empty()) text += "," + parameter("scope", challenge.scope);
  if (!challenge.error.empty()) text += "," + parameter("error", challenge.error);
  return text;
}

}  // namespace entrepot::auth
