#include "upstream/account.hpp"

#include "entrepot/base/bytes.hpp"
#include "entrepot/oci/digest.hpp"

namespace entrepot::upstream {

std::string Account::basic() const {
  const auto& secret = identity_token.empty() ? password : identity_token;
  const auto& name = username.empty() ? std::string("<token>") : username;
  return "Basic " + base::to_base64(name + ":" + secret);
}

std::string Account::fingerprint() const {
  if (anonymous()) return "anonymous";
  const std::string all = username + '\0' + password + '\0' + identity_token;
  return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(all)).hex();
}

}  // namespace entrepot::upstream
