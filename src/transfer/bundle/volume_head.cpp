#include "transfer/bundle/volume_head.hpp"

#include <boost/json/serialize.hpp>
#include <set>

#include "entrepot/base/bytes.hpp"
#include "transfer/bundle/json_words.hpp"

namespace entrepot::transfer {

namespace json = boost::json;

namespace {

constexpr std::string_view format = "entrepot bundle volume 1";
constexpr std::uint64_t most_volumes = 1'000'000;

std::string_view word(MemberKind kind) {
  using enum MemberKind;
  switch (kind) {
    case layout:
      return "oci-layout";
    case index:
      return "index.json";
    case parity:
      return "parity";
    case blob:
    case part:
      break;
  }
  return {};
}

// [digest, size] of a blob, [digest, size, sum, offset, total] of a part, [word, size, sum] else.
json::array render(const VolumeMember& member) {
  json::array row;
  row.emplace_back(member.digest ? member.digest->text() : std::string(word(member.kind)));
  row.emplace_back(member.size);
  if (member.kind == MemberKind::blob) return row;
  row.emplace_back(member.sum ? member.sum->hex() : "");
  if (member.kind != MemberKind::part) return row;
  row.emplace_back(member.offset);
  row.emplace_back(member.total);
  return row;
}

oci::Digest sum_at(const json::array& row, std::size_t place) {
  const auto sum = oci::Digest::parse("sha256:" + text_at(row, place));
  if (!sum) throw Malformed("a member has no sum");
  return *sum;
}

VolumeMember read_named(const json::array& row, std::string_view name) {
  VolumeMember member{.size = number_at(row, 1)};
  using enum MemberKind;
  for (const auto kind : {layout, index, parity}) {
    if (name != word(kind)) continue;
    member.kind = kind;
    if (kind != parity) member.sum = sum_at(row, 2);
    return member;
  }
  throw Malformed("it has a member of an unknown kind");
}

VolumeMember read_member(const json::value& value) {
  const auto& row = row_of(value, 2);
  const auto digest = oci::Digest::parse(text_at(row, 0));
  if (!digest) return read_named(row, text_at(row, 0));
  VolumeMember member{.digest = digest, .size = number_at(row, 1)};
  if (row.size() == 2) {
    member.sum = digest;
    return member;
  }
  member.kind = MemberKind::part;
  member.sum = sum_at(row, 2);
  member.offset = number_at(row, 3);
  member.total = number_at(row, 4);
  if (member.size == 0 || member.offset + member.size > member.total) {
    throw Malformed("a part does not lie in its blob");
  }
  return member;
}

json::object render(const SlicedFile& file) {
  return {{"size", file.size}, {"sums", base::to_base64(file.sums)}};
}

SlicedFile read_sliced(const json::object& object) {
  auto sums = base::from_base64(text_of(object, "sums"));
  SlicedFile file{.size = number_of(object, "size"), .sums = std::move(sums).value_or("")};
  if (file.sums.size() != slices_of(file.size) * sum_size) throw Malformed("sums are missing");
  return file;
}

json::object render(const Parity& parity) {
  json::array volumes;
  for (const auto& volume : parity.volumes) volumes.push_back(render(volume));
  return {{"volumes", std::move(volumes)}, {"own", render(parity.own)}};
}

Parity read_parity(const json::object& object) {
  Parity parity{.volumes = {}, .own = read_sliced(object_of(object, "own"))};
  std::uint64_t largest = 0;
  for (const auto& volume : array_of(object, "volumes")) {
    if (!volume.is_object()) throw Malformed("a volume of its parity is none");
    parity.volumes.push_back(read_sliced(volume.get_object()));
    largest = std::max(largest, parity.volumes.back().size);
  }
  if (parity.own.size != largest) throw Malformed("its parity is not as long as a volume");
  return parity;
}

void check_numbers(const VolumeHead& head) {
  if (!is_hex(head.series, 32)) throw Malformed("its series is none");
  const auto of = head.parity ? head.parities : head.volumes;
  if (head.number < 1 || head.number > of || head.volumes > most_volumes) {
    throw Malformed("its number is none");
  }
  if (head.parities > 0 && head.volumes + head.parities > most_sliced) {
    throw Malformed("its series is too long for parity");
  }
}

void check_members(const VolumeHead& head) {
  std::set<std::string> names;
  for (const auto& member : head.members) {
    if (!names.insert(name_of(member)).second) throw Malformed("a member stands twice");
    const bool parity = member.kind == MemberKind::parity;
    if (parity != head.parity.has_value()) throw Malformed("a member does not belong there");
  }
  if (!head.parity) return;
  const bool whole = head.members.size() == 1 && head.members.front().size == head.parity->own.size;
  if (!whole || head.parity->volumes.size() != head.volumes) {
    throw Malformed("its parity does not fit");
  }
}

VolumeHead read_head(std::string_view text) {
  const auto object = read_object(text);
  if (text_of(object, "format") != format) throw Malformed("it is of an unknown format");
  VolumeHead head{.series = text_of(object, "series"),
                  .number = number_of(object, "number"),
                  .volumes = number_of(object, "volumes"),
                  .parities = number_of(object, "parities"),
                  .contents = read_contents(object),
                  .members = {},
                  .parity = {}};
  for (const auto& member : array_of(object, "members")) {
    head.members.push_back(read_member(member));
  }
  if (object.contains("parity")) head.parity = read_parity(object_of(object, "parity"));
  check_numbers(head);
  check_members(head);
  return head;
}

}  // namespace

std::string name_of(const VolumeMember& member) {
  if (member.kind == MemberKind::blob) {
    return "blobs/" + std::string(oci::to_string(member.digest->algorithm())) + "/" +
           member.digest->hex();
  }
  if (member.kind == MemberKind::part) return "entrepot/parts/" + member.digest->hex();
  if (member.kind == MemberKind::parity) return "entrepot/parity";
  return std::string(word(member.kind));
}

std::string render(const VolumeHead& head) {
  json::object object{{"format", format},
                      {"series", head.series},
                      {"number", head.number},
                      {"volumes", head.volumes},
                      {"parities", head.parities}};
  render(head.contents, object);
  json::array members;
  members.reserve(head.members.size());
  for (const auto& member : head.members) members.push_back(render(member));
  object["members"] = std::move(members);
  if (head.parity) object["parity"] = render(*head.parity);
  return json::serialize(object);
}

std::expected<VolumeHead, std::string> parse_volume_head(std::string_view text) {
  try {
    return read_head(text);
  } catch (const Malformed& malformed) {
    return std::unexpected(malformed.what());
  }
}

}  // namespace entrepot::transfer
