#include "transfer/layout_writer.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "entrepot/oci/media_type.hpp"
#include "transfer/foreign_folder.hpp"
#include "transfer/layout_reader.hpp"

namespace entrepot::transfer {

namespace json = boost::json;

namespace {

constexpr const char* marker_name = "oci-layout";
constexpr const char* marker_part = ".oci-layout.part";
constexpr const char* index_name = "index.json";
constexpr const char* index_part = ".index.json.part";
constexpr std::string_view marker = R"({"imageLayoutVersion":"1.0.0"})";
constexpr std::string_view name_annotation = "org.opencontainers.image.ref.name";
constexpr std::size_t largest_index = 64 << 20;

base::UniqueFd make_folder(int parent, const char* name) {
  if (mkdirat(parent, name, 0755) != 0 && errno != EEXIST) base::throw_errno("cannot make", name);
  base::UniqueFd folder(openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!folder) base::throw_errno("cannot open", name);
  return folder;
}

base::UniqueFd make_file(int folder, const char* name) {
  constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
  base::UniqueFd file(openat(folder, name, flags, 0644));
  if (!file) base::throw_errno("cannot make", name);
  return file;
}

void write_all(const base::UniqueFd& file, base::ByteView bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) base::throw_errno("cannot write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void put_in_place(int folder, const base::UniqueFd& file, const char* part, const char* name) {
  if (fdatasync(file.get()) != 0) base::throw_errno("cannot sync", name);
  if (renameat(folder, part, folder, name) != 0) base::throw_errno("cannot rename", name);
}

void sync_names(int folder) {
  if (fsync(folder) != 0) base::throw_errno("cannot sync directory");
}

std::string_view name_of(const json::value& image) {
  const auto* const object = image.if_object();
  const auto* const annotations = object == nullptr ? nullptr : object->if_contains("annotations");
  const auto* const words = annotations == nullptr ? nullptr : annotations->if_object();
  const auto* const name =
      words == nullptr ? nullptr
                       : words->if_contains({name_annotation.data(), name_annotation.size()});
  if (name == nullptr || !name->is_string()) return {};
  return {name->get_string().data(), name->get_string().size()};
}

std::string_view digest_of(const json::value& image) {
  const auto* const object = image.if_object();
  const auto* const digest = object == nullptr ? nullptr : object->if_contains("digest");
  if (digest == nullptr || !digest->is_string()) return {};
  return {digest->get_string().data(), digest->get_string().size()};
}

json::array read_images(const ForeignFolder& folder) {
  const auto text = folder.text(index_name, largest_index);
  if (!text) return {};
  json::error_code error;
  auto index = json::parse(*text, error);
  auto* const object = index.if_object();
  auto* const images = object == nullptr ? nullptr : object->if_contains("manifests");
  if (error || images == nullptr || !images->is_array()) {
    throw std::runtime_error("the index.json that is there already is no image layout's");
  }
  return std::move(images->get_array());
}

json::object descriptor(const LayoutImage& image) {
  json::object object{
      {"mediaType", image.media_type}, {"digest", image.digest.text()}, {"size", image.size}};
  if (!image.artifact_type.empty()) object["artifactType"] = image.artifact_type;
  if (!image.tag.empty()) object["annotations"] = {{name_annotation, image.tag}};
  return object;
}

}  // namespace

LayoutWriter::LayoutWriter(const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  top_.reset(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!top_) base::throw_errno("cannot open", directory.c_str());
  if (flock(top_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      throw std::runtime_error("somebody else writes to " + directory.string() + " now");
    }
    base::throw_errno("cannot lock", directory.c_str());
  }
  images_ = read_images(ForeignFolder(directory));
  const auto blobs = make_folder(top_.get(), "blobs");
  for (const auto algorithm : {oci::Algorithm::sha256, oci::Algorithm::sha512}) {
    const std::string name(oci::to_string(algorithm));
    folders_.emplace(algorithm, make_folder(blobs.get(), name.c_str()));
  }
  if (is_layout(ForeignFolder(directory))) return;
  const auto file = make_file(top_.get(), marker_part);
  write_all(file, base::as_bytes(marker));
  put_in_place(top_.get(), file, marker_part, marker_name);
}

bool LayoutWriter::has(const oci::Digest& digest, std::uint64_t size) const {
  struct stat info{};
  return fstatat(folder_of(digest.algorithm()), digest.hex().c_str(), &info, AT_SYMLINK_NOFOLLOW) ==
             0 &&
         S_ISREG(info.st_mode) && static_cast<std::uint64_t>(info.st_size) == size;
}

LayoutWriter::File::File(const LayoutWriter& writer, const oci::Digest& digest)
    : writer_(writer),
      digest_(digest),
      name_("." + digest.hex() + ".part"),
      fd_(make_file(writer.folder_of(digest.algorithm()), name_.c_str())),
      hasher_(digest.algorithm()) {}

LayoutWriter::File::~File() {
  if (fd_) unlinkat(writer_.folder_of(digest_.algorithm()), name_.c_str(), 0);
}

void LayoutWriter::File::append(base::ByteView bytes) {
  write_all(fd_, bytes);
  hasher_.update(bytes);
}

void LayoutWriter::File::finish() {
  if (hasher_.current() != digest_) {
    throw std::system_error(EIO, std::generic_category(), digest_.text() + " is damaged");
  }
  put_in_place(writer_.folder_of(digest_.algorithm()), fd_, name_.c_str(), digest_.hex().c_str());
  fd_.reset();
}

void LayoutWriter::write(const oci::Digest& digest, base::ByteView bytes) {
  File file(*this, digest);
  file.append(bytes);
  file.finish();
}

void LayoutWriter::add(const LayoutImage& image) {
  const auto digest = image.digest.text();
  auto* kept = images_.begin();
  for (auto& there : images_) {
    const auto name = name_of(there);
    const bool replaced = name == image.tag && (!name.empty() || digest_of(there) == digest);
    if (replaced) continue;
    if (kept != &there) *kept = std::move(there);
    ++kept;
  }
  images_.erase(kept, images_.end());
  images_.push_back(descriptor(image));
}

void LayoutWriter::save() {
  for (const auto& [algorithm, folder] : folders_) sync_names(folder.get());
  const json::object index{
      {"schemaVersion", 2}, {"mediaType", oci::media_type::oci_index}, {"manifests", images_}};
  const auto file = make_file(top_.get(), index_part);
  write_all(file, base::as_bytes(json::serialize(index)));
  put_in_place(top_.get(), file, index_part, index_name);
  sync_names(top_.get());
}

}  // namespace entrepot::transfer
