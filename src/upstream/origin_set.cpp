#include "upstream/origin_set.hpp"

#include <algorithm>
#include <stdexcept>

#include "entrepot/base/log.hpp"

namespace entrepot::upstream {
namespace {

std::vector<http::Url> parse_all(const std::vector<std::string>& texts) {
  std::vector<http::Url> urls;
  for (const auto& text : texts) {
    auto url = http::parse_url(text);
    if (!url)
      throw std::invalid_argument("not a usable http or https address: " +
                                  base::log::redact_url(text));
    urls.push_back(std::move(*url));
  }
  return urls;
}

// People write the registry with or without the API's prefix.
void strip_api_prefix(http::Url& url) {
  url.query.clear();
  while (url.path.ends_with('/')) url.path.pop_back();
  if (url.path.ends_with("/v2")) url.path.resize(url.path.size() - 3);
}

bool names(const std::vector<http::Url>& urls, const http::Url& url) {
  return std::ranges::any_of(urls,
                             [&](const http::Url& each) { return each.origin() == url.origin(); });
}

}  // namespace

OriginSet::OriginSet(const RemoteOptions& options)
    : name_(options.name),
      urls_(parse_all(options.urls)),
      trusted_(parse_all(options.trusted_realms)),
      private_network_(options.private_network),
      own_(std::make_shared<http::Transport>(options.transport)),
      lane_(options.lane) {
  if (urls_.empty()) throw std::invalid_argument("upstream " + name_ + " has no URL");
  for (auto& url : urls_) strip_api_prefix(url);
  http::Transport foreign = options.transport;
  foreign.client_certificate.clear();
  foreign.client_key.clear();
  foreign_ = std::make_shared<http::Transport>(std::move(foreign));
}

void OriginSet::prepare(http::ClientRequest& request, const http::Url& url) const {
  const bool own = names(urls_, url);
  const bool anywhere = own || private_network_ == PrivateNetwork::allowed || names(trusted_, url);
  request.transport = own ? own_ : foreign_;
  request.lane = lane_;
  request.addresses = anywhere ? http::AddressPolicy::any : http::AddressPolicy::public_only;
}

}  // namespace entrepot::upstream
