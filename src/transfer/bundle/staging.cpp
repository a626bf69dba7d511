#include "transfer/bundle/staging.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>
#include <stdexcept>

#include "entrepot/base/units.hpp"
#include "transfer/bundle/durable_file.hpp"
#include "transfer/bundle/json_words.hpp"
#include "transfer/foreign_folder.hpp"

namespace entrepot::transfer {
namespace {

constexpr std::uint64_t largest_ledger = 4ULL << 30U;

base::UniqueFd open_file(const std::filesystem::path& path, int flags) {
  base::UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) base::throw_errno("cannot open", path.c_str());
  return fd;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::uint64_t number_of(const std::string& word) { return base::parse_unsigned(word).value_or(0); }

base::UniqueFd locked(const std::filesystem::path& folder) {
  base::UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) base::throw_errno("cannot open", folder.c_str());
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) base::throw_errno("cannot lock", folder.c_str());
  throw std::runtime_error("this bundle is being applied already");
}

}  // namespace

bool Staging::Parts::complete() const {
  std::uint64_t reached = 0;
  for (const auto& [offset, size] : pieces) {
    if (offset > reached) return false;
    reached = std::max(reached, offset + size);
  }
  return reached == total;
}

Staging::Staging(const std::filesystem::path& top, const std::string& bundle)
    : folder_(top / bundle) {
  std::filesystem::create_directories(folder_);
  std::filesystem::permissions(top, std::filesystem::perms::owner_all);
  lock_ = locked(folder_);
  read_ledger();
  ledger_ = open_file(folder_ / "ledger", O_WRONLY | O_CREAT | O_APPEND);
}

void Staging::read_ledger() {
  const auto path = folder_ / "ledger";
  if (!std::filesystem::exists(path)) return;
  const auto text = read_file(path, largest_ledger);
  // A line without its end was torn by a crash.
  const auto end = text.rfind('\n');
  std::istringstream lines(text.substr(0, end == text.npos ? 0 : end));
  for (std::string line; std::getline(lines, line);) read_line(words_of(line));
  if (end != text.npos && end + 1 < text.size()) std::filesystem::resize_file(path, end + 1);
  std::erase_if(whole_,
                [&](const auto& digest) { return !std::filesystem::exists(place(digest)); });
}

void Staging::read_line(const std::vector<std::string>& words) {
  if (words.size() == 3 && words[0] == "volume") {
    volumes_.emplace(words[1], number_of(words[2]));
    return;
  }
  const auto digest = words.size() < 2 ? std::nullopt : oci::Digest::parse(words[1]);
  if (!digest) return;
  if (words[0] == "whole") whole_.insert(*digest);
  if (words[0] == "part" && words.size() == 5) {
    auto& parts = parts_[*digest];
    parts.total = number_of(words[4]);
    auto& piece = parts.pieces[number_of(words[2])];
    piece = std::max(piece, number_of(words[3]));
  } else {
    parts_.erase(*digest);
  }
}

void Staging::note(std::string line) {
  unsettled_ += line;
  unsettled_ += '\n';
}

std::filesystem::path Staging::place(const oci::Digest& digest) const {
  return folder_ / (std::string(oci::to_string(digest.algorithm())) + "-" + digest.hex());
}

std::filesystem::path Staging::part_place(const oci::Digest& digest) const {
  return place(digest).concat(".part");
}

std::optional<VolumeHead> Staging::head() const {
  const auto path = folder_ / "head";
  if (!std::filesystem::exists(path)) return std::nullopt;
  auto head = parse_volume_head(read_file(path, largest_head));
  return head ? std::optional(std::move(*head)) : std::nullopt;
}

void Staging::set_head(std::string_view text) {
  DurableFile file(folder_ / "head", 0600);
  file.append(text);
  file.finish();
}

base::UniqueFd Staging::open(const oci::Digest& digest) const {
  return open_file(place(digest), O_RDONLY);
}

std::set<std::uint64_t> Staging::taken_of(const std::string& series) const {
  std::set<std::uint64_t> numbers;
  for (const auto& [of, number] : volumes_) {
    if (of == series) numbers.insert(number);
  }
  return numbers;
}

void Staging::begin(const VolumeMember& member) {
  member_ = member;
  written_ = 0;
  arriving_ = member.kind == MemberKind::part
                  ? open_file(part_place(*member.digest), O_RDWR | O_CREAT)
                  : open_file(folder_ / "arriving", O_RDWR | O_CREAT | O_TRUNC);
}

void Staging::append(base::ByteView bytes) {
  write_at(arriving_, member_.offset + written_, bytes);
  written_ += bytes.size();
}

void Staging::accept() {
  const auto& digest = *member_.digest;
  if (member_.kind == MemberKind::part) {
    auto& parts = parts_[digest];
    parts.total = member_.total;
    auto& piece = parts.pieces[member_.offset];
    piece = std::max(piece, member_.size);
    note("part " + digest.text() + " " + std::to_string(member_.offset) + " " +
         std::to_string(member_.size) + " " + std::to_string(member_.total));
  } else {
    std::filesystem::rename(folder_ / "arriving", place(digest));
    whole_.insert(digest);
    note("whole " + digest.text());
  }
  arriving_.reset();
}

// What stands in a file of parts and is not in the ledger is written over by the next one.
void Staging::drop() { arriving_.reset(); }

void Staging::note_volume(const std::string& series, std::uint64_t volume) {
  volumes_.emplace(series, volume);
  note("volume " + series + " " + std::to_string(volume));
}

void Staging::settle() {
  if (unsettled_.empty()) return;
  if (syncfs(lock_.get()) != 0) base::throw_errno("cannot sync", folder_.c_str());
  for (auto rest = base::as_bytes(unsettled_); !rest.empty();) {
    const auto written = ::write(ledger_.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) base::throw_errno("cannot write the ledger of a bundle");
    rest = rest.subspan(static_cast<std::size_t>(written));
  }
  if (fdatasync(ledger_.get()) != 0) base::throw_errno("cannot sync the ledger of a bundle");
  unsettled_.clear();
}

std::optional<Staging::Assembled> Staging::assembled() const {
  for (const auto& [digest, parts] : parts_) {
    if (parts.complete()) return Assembled{digest, open_file(part_place(digest), O_RDONLY)};
  }
  return std::nullopt;
}

void Staging::close_assembled(const oci::Digest& digest, bool good) {
  parts_.erase(digest);
  if (good) {
    std::filesystem::rename(part_place(digest), place(digest));
    whole_.insert(digest);
    note("whole " + digest.text());
  } else {
    std::filesystem::remove(part_place(digest));
    note("none " + digest.text());
  }
}

std::filesystem::path Staging::rebuilt(std::uint64_t volume) const {
  return folder_ / ("rebuilt-" + std::to_string(volume) + ".tar");
}

void Staging::remove() { std::filesystem::remove_all(folder_); }

bool Staging::remove(const std::filesystem::path& top, const std::string& bundle) {
  if (!is_hex(bundle, 32)) throw std::runtime_error("the id of a bundle has 32 characters");
  const auto folder = top / bundle;
  if (!std::filesystem::is_directory(folder)) return false;
  const auto lock = locked(folder);
  std::filesystem::remove_all(folder);
  return true;
}

std::vector<std::string> Staging::idle(const std::filesystem::path& top, base::WallTime before) {
  std::vector<std::string> found;
  if (!std::filesystem::is_directory(top)) return found;
  for (const auto& entry : std::filesystem::directory_iterator(top)) {
    const auto name = entry.path().filename().string();
    struct stat info{};
    if (!is_hex(name, 32) || ::stat((entry.path() / "ledger").c_str(), &info) != 0) continue;
    if (base::WallTime(base::Seconds(info.st_mtim.tv_sec)) < before) found.push_back(name);
  }
  return found;
}

}  // namespace entrepot::transfer
