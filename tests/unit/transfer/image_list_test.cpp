#include "entrepot/transfer/image_list.hpp"

#include <gtest/gtest.h>

namespace entrepot::transfer::image_list_test {
namespace {

using Names = std::vector<std::string>;

std::string read(std::string_view text) {
  const auto image = parse_image(text);
  return image ? image->text() : "nothing";
}

TEST(ImageList, names_are_read_as_docker_reads_them) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  struct Row {
    std::string text;
    std::string read;
  };
  const Row rows[] = {
      {"nginx", "docker.io/library/nginx:latest"},
      {"nginx:1.27", "docker.io/library/nginx:1.27"},
      {"grafana/grafana", "docker.io/grafana/grafana:latest"},
      {"docker.io/nginx", "docker.io/library/nginx:latest"},
      {"index.docker.io/library/nginx:1", "docker.io/library/nginx:1"},
      {"quay.io/org/app:v1", "quay.io/org/app:v1"},
      {"registry.example.com:5000/app", "registry.example.com:5000/app:latest"},
      {"localhost/app:v1", "localhost/app:v1"},
      {"team/app/part:v1", "docker.io/team/app/part:v1"},
      {"nginx@" + digest, "docker.io/library/nginx@" + digest},
      {"quay.io/app:v1@" + digest, "quay.io/app@" + digest},
      {"", "nothing"},
      {"Nginx", "nothing"},
      {"nginx:", "nothing"},
      {"nginx:a:b", "nothing"},
      {"nginx@sha256:12", "nothing"},
      {"quay.io/", "nothing"},
      {"https://quay.io/app", "nothing"},
      {"/app", "nothing"},
      {"a b.c/app", "nothing"},
  };
  for (const auto& row : rows) EXPECT_EQ(read(row.text), row.read) << row.text;
}

TEST(ImageList, lines_are_images_but_for_notes) {
  EXPECT_EQ(images_in_lines("# ours\nnginx\n\n  quay.io/app:v1  # pinned\r\nnginx\nlast"),
            (Names{"nginx", "quay.io/app:v1", "last"}));
  EXPECT_TRUE(images_in_lines("").empty());
}

TEST(ImageList, kubernetes_lists_name_images_wherever_containers_are) {
  const auto* pods = R"({"kind":"List","items":[
    {"kind":"Pod","spec":{"containers":[{"name":"a","image":"nginx:1.27"},{"image":"quay.io/b"}],
      "initContainers":[{"image":"busybox"}],"ephemeralContainers":[{"image":"debug"}]},
      "status":{"containerStatuses":[{"image":"sha256:1234"}]}},
    {"kind":"Deployment","spec":{"template":{"spec":{"containers":[{"image":"nginx:1.27"}]}}}},
    {"kind":"Odd","spec":{"containers":"none"}},
    {"kind":"Odd","spec":{"containers":[1,{"image":2},{}]}}]})";
  auto found = images_in_kubernetes_list(pods);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (Names{"nginx:1.27", "quay.io/b", "busybox", "debug"}));
  EXPECT_FALSE(images_in_kubernetes_list("nginx\n"));
  EXPECT_FALSE(images_in_kubernetes_list(std::string(100, '[')));
  EXPECT_EQ(images_in_kubernetes_list("{}"), Names{});
}

}  // namespace
}  // namespace entrepot::transfer::image_list_test
