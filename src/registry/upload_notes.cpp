#include "registry/upload_notes.hpp"

#include "entrepot/base/bytes.hpp"

namespace entrepot::registry {
namespace {

// Three lines: repository, principal in base64, algorithm.
std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<oci::Algorithm> read_algorithm(std::string_view word) {
  for (const auto algorithm : {oci::Algorithm::sha256, oci::Algorithm::sha512}) {
    if (word == oci::to_string(algorithm)) return algorithm;
  }
  return std::nullopt;
}

}  // namespace

std::string write_notes(const UploadNotes& notes) {
  return notes.repository.text() + '\n' + base::to_base64(notes.principal) + '\n' +
         std::string(oci::to_string(notes.algorithm)) + '\n';
}

std::optional<UploadNotes> read_notes(std::string_view text) {
  const auto repository_line = take_line(text);
  const auto principal_line = take_line(text);
  const auto algorithm_line = take_line(text);
  if (!algorithm_line) return std::nullopt;
  auto repository = oci::RepositoryName::parse(*repository_line);
  auto principal = base::from_base64(*principal_line);
  const auto algorithm = read_algorithm(*algorithm_line);
  if (!repository || !principal || !algorithm) return std::nullopt;
  return UploadNotes{std::move(*repository), std::move(*principal), *algorithm};
}

}  // namespace entrepot::registry
