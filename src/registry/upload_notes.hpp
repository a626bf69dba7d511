// What an upload session is, as the words that lie beside its bytes on disk.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "entrepot/oci/digest.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::registry {

struct UploadNotes {
  oci::RepositoryName repository;
  std::string principal;  // any bytes; empty: anonymous
  oci::Algorithm algorithm = oci::Algorithm::sha256;
};

std::string write_notes(const UploadNotes& notes);
// Absent when these are not words of ours.
std::optional<UploadNotes> read_notes(std::string_view text);

}  // namespace entrepot::registry
