// Lists of images as people have them: a line each, or what `kubectl get pods -A -o json` prints.
// Names are read as Docker reads them: "nginx" is docker.io/library/nginx:latest.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrepot/oci/name.hpp"

namespace entrepot::transfer {

struct ImageName {
  std::string host;  // "docker.io", "registry.example.com:5000"
  oci::RepositoryName repository;
  oci::Reference reference;  // of tag and digest the digest

  // "docker.io/library/nginx:latest"
  std::string text() const;
};

// host[:port]/path[:tag][@digest]; a first component without '.' and ':' that is not "localhost" is
// no host. Absent: it names no image.
std::optional<ImageName> parse_image(std::string_view text);

// Lines; blanks around them, empty lines and what follows a '#' do not count. Each image once, in
// order, as written.
std::vector<std::string> images_in_lines(std::string_view text);
// The images of all containers (init and ephemeral ones, too) in whatever objects it lists: pods,
// deployments, a List of them. Absent: not JSON, or deeper than such lists are.
std::optional<std::vector<std::string>> images_in_kubernetes_list(std::string_view json);

}  // namespace entrepot::transfer
