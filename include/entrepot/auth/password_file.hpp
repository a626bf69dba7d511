// The htpasswd file as `entrepot user` edits it: atomically, other lines untouched, bcrypt only.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot::auth {

// Adds the user or changes the password; makes the file (0600) when new, keeps its mode and owner
// when not. Durable when it returns. Throws std::runtime_error (the file is not one we could load,
// with its line), std::system_error, or std::invalid_argument: the name cannot stand in the file,
// or the password is empty, has a NUL byte or more than the 72 bytes bcrypt looks at.
void set_password(const std::filesystem::path& file, std::string_view user,
                  std::string_view password);
// False when there was no such user.
bool remove_user(const std::filesystem::path& file, std::string_view user);
std::vector<std::string> users(const std::filesystem::path& file);

}  // namespace entrepot::auth
