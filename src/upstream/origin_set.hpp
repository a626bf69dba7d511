// What all parts of one Remote share: the configured URLs, and how to speak to whom.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "entrepot/base/clock.hpp"
#include "entrepot/base/metrics.hpp"
#include "entrepot/http/client.hpp"
#include "entrepot/http/url.hpp"
#include "entrepot/upstream/remote.hpp"

namespace entrepot::upstream {

// Immutable after construction; thread-safe.
class OriginSet {
 public:
  // Throws std::invalid_argument on a URL that cannot be used.
  explicit OriginSet(const RemoteOptions& options);

  const std::string& name() const { return name_; }
  const std::vector<http::Url>& urls() const { return urls_; }
  const std::vector<http::Url>& trusted_realms() const { return trusted_; }

  // Sets transport, lane and address policy: the operator's own addresses may be anywhere and see
  // our client certificate; what others send us to must be public, unless configured otherwise, and
  // does not see it.
  void prepare(http::ClientRequest& request, const http::Url& url) const;

 private:
  std::string name_;
  std::vector<http::Url> urls_;
  std::vector<http::Url> trusted_;
  PrivateNetwork private_network_;
  std::shared_ptr<const http::Transport> own_;
  std::shared_ptr<const http::Transport> foreign_;
  std::shared_ptr<http::Lane> lane_;
};

}  // namespace entrepot::upstream
