#include "app/lease_book.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>

#include "entrepot/base/unique_fd.hpp"

namespace entrepot::app {
namespace {

constexpr std::string_view file_name = "leases";
// The last line: without it the file is not whole.
constexpr std::string_view last_line = "end";

void check(bool good, const std::filesystem::path& path) {
  if (!good) throw std::system_error(errno, std::generic_category(), path.string());
}

void sync_directory(const std::filesystem::path& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  check(fd && ::fsync(fd.get()) == 0, path);
}

void write_all(int fd, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    check(written > 0, path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::optional<std::vector<oci::Digest>> promises_of_last_run(const std::filesystem::path& data) {
  std::vector<oci::Digest> promises;
  std::error_code ec;
  if (!std::filesystem::exists(data / "index", ec) && !ec) return promises;
  std::ifstream stream(data / file_name);
  for (std::string line; std::getline(stream, line);) {
    if (line == last_line) return promises;
    const auto digest = oci::Digest::parse(line);
    if (!digest) return std::nullopt;
    promises.push_back(*digest);
  }
  return std::nullopt;
}

void forget_promises(const std::filesystem::path& data) {
  if (std::filesystem::remove(data / file_name)) sync_directory(data);
}

void write_promises(const std::filesystem::path& data, const std::vector<oci::Digest>& promises) {
  std::string text;
  for (const auto& digest : promises) text += digest.text() + '\n';
  text += std::string(last_line) + '\n';
  const auto path = data / file_name;
  auto unfinished = path;
  unfinished += ".new";
  const base::UniqueFd fd(
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  check(static_cast<bool>(fd), unfinished);
  write_all(fd.get(), text, unfinished);
  check(::fsync(fd.get()) == 0, unfinished);
  std::filesystem::rename(unfinished, path);
  sync_directory(data);
}

}  // namespace entrepot::app
