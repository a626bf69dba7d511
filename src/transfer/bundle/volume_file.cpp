#include "transfer/bundle/volume_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "entrepot/base/bytes.hpp"
#include "transfer/bundle/signed_text.hpp"
#include "transfer/bundle/tar_form.hpp"
#include "transfer/bundle/volume_writer.hpp"
#include "transfer/foreign_folder.hpp"

namespace entrepot::transfer {
namespace {

using Kind = VolumeTrouble::Kind;
template <class T>
using Or = std::expected<T, VolumeTrouble>;

std::unexpected<VolumeTrouble> trouble(Kind kind, std::string sentence) {
  return std::unexpected(VolumeTrouble{kind, std::move(sentence)});
}

struct Opened {
  base::UniqueFd fd;
  std::uint64_t size = 0;
};

Or<Opened> open_regular(const std::filesystem::path& path) {
  // Not to wait for the other end of a pipe.
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) base::throw_errno("cannot open", path.c_str());
  struct stat info{};
  if (fstat(fd.get(), &info) != 0) base::throw_errno("cannot look at", path.c_str());
  if (!S_ISREG(info.st_mode)) return trouble(Kind::other, "is no regular file");
  return Opened{std::move(fd), static_cast<std::uint64_t>(info.st_size)};
}

// A member that stands at `offset`, with zeros behind it.
Or<std::string> text_at(const base::UniqueFd& fd, std::uint64_t offset, std::string_view name,
                        std::uint64_t size) {
  const auto header = read_at(fd, offset, tar_block);
  auto text = read_at(fd, offset + tar_block, size + tar_padding(size));
  const bool zeros =
      text.size() == size + tar_padding(size) && text.find_first_not_of('\0', size) == text.npos;
  if (header != tar_header(name, size) || !zeros) {
    return trouble(Kind::damaged, "is damaged in its member " + std::string(name));
  }
  text.resize(size);
  return text;
}

struct Seal {
  std::string key;
  std::string signature;
};

// Two lines.
Or<Seal> read_seal(std::string_view text) {
  const auto end = text.find('\n');
  const auto key = text.substr(0, end);
  const bool two_lines = end != text.npos && text.ends_with('\n') && end + 1 < text.size();
  const auto signature =
      two_lines ? strict_base64(text.substr(end + 1, text.size() - end - 2)) : std::nullopt;
  if (!signature || !strict_base64(key)) {
    return trouble(Kind::damaged, "is damaged in its signature");
  }
  return Seal{std::string(key), *signature};
}

Or<void> check_seal(std::string_view head, std::string_view seal_text,
                    const std::vector<TrustedKey>& trusted) {
  const auto seal = read_seal(seal_text);
  if (!seal) return std::unexpected(seal.error());
  if (!believed(trusted, seal->key)) {
    return trouble(Kind::foreign, "is signed by the key " + key_id(seal->key) +
                                      ", which is none of a trusted site");
  }
  if (!is_signed_by(seal->key, sealed_text(head), seal->signature)) {
    return trouble(Kind::damaged, "has a head that its signature is not for");
  }
  return {};
}

}  // namespace

VolumeFile::VolumeFile(std::filesystem::path path, base::UniqueFd fd, std::uint64_t size,
                       std::string head_text, VolumeHead head)
    : path_(std::move(path)),
      fd_(std::move(fd)),
      size_(size),
      head_text_(std::move(head_text)),
      head_(std::move(head)) {}

std::expected<VolumeFile, VolumeTrouble> VolumeFile::open(const std::filesystem::path& path,
                                                          const std::vector<TrustedKey>& trusted) {
  auto opened = open_regular(path);
  if (!opened) return std::unexpected(opened.error());
  auto& [fd, file_size] = *opened;
  const auto head_size = size_in_header(read_at(fd, 0, tar_block), head_name);
  if (!head_size) return trouble(Kind::other, "is no volume of a bundle, or its start is damaged");
  if (*head_size > largest_head) return trouble(Kind::damaged, "has an absurd head");
  auto head_text = text_at(fd, 0, head_name, *head_size);
  if (!head_text) return std::unexpected(head_text.error());
  const auto seal = text_at(fd, tar_footprint(head_name, *head_size), seal_name, seal_size);
  if (!seal) return std::unexpected(seal.error());
  if (const auto good = check_seal(*head_text, *seal, trusted); !good) {
    return std::unexpected(good.error());
  }
  auto head = parse_volume_head(*head_text);
  if (!head) return trouble(Kind::damaged, "cannot be read: " + head.error());
  return VolumeFile(path, std::move(fd), file_size, std::move(*head_text), std::move(*head));
}

std::uint64_t VolumeFile::size_due() const { return volume_size(head_, head_text_.size()); }

std::uint64_t VolumeFile::body_offset() const {
  return tar_footprint(head_name, head_text_.size()) + tar_footprint(seal_name, seal_size);
}

}  // namespace entrepot::transfer
