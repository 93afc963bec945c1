#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "system/current_call.h"
#include "system/failure.h"
#include "system/file_descriptor.h"
#include "system/remove_tree.h"

namespace domino_vss {

namespace {

struct DirectoryCloser {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

/// A directory on the way down. Only the deepest one is kept open, because a tree may be deeper than the descriptor
/// limit.
struct Level {
    dev_t device = 0;
    ino_t inode = 0;
    std::vector<std::string> directories;  ///< still to be removed; the last one is in progress
};

class Removal {
public:
    Removal(std::filesystem::path parent, const char* failureCode, BeforeEntering beforeEntering)
        : at_(std::move(parent)), failureCode_(failureCode), beforeEntering_(beforeEntering) {}

    void run(const std::string& name) {
        current_ = FileDescriptor(::open(at_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!current_.valid()) {
            if (errno == ENOENT) return;
            fail("open", at_);
        }
        levels_.push_back(describe(current_));
        if (!removeFile(name)) levels_.back().directories.push_back(name);
        while (levels_.size() > 1 || !levels_.back().directories.empty()) {
            if (levels_.back().directories.empty())
                leave();
            else
                enter();
        }
    }

private:
    [[noreturn]] void fail(const char* operation, const std::filesystem::path& subject) const {
        throw systemFailure(failureCode_, Phase::end, operation, subject.native(), errno);
    }

    [[nodiscard]] Level describe(const FileDescriptor& directory) const {
        struct stat found {};
        if (::fstat(directory.get(), &found) != 0) fail("fstat", at_);
        return {found.st_dev, found.st_ino, {}};
    }

    /// Returns false for a directory.
    bool removeFile(const std::string& name) const {
        CurrentCall::note("unlinkat", at_.native());
        if (::unlinkat(current_.get(), name.c_str(), 0) == 0 || errno == ENOENT) return true;
        if (errno != EISDIR) fail("unlinkat", at_ / name);
        return false;
    }

    void enter() {
        std::vector<std::string>& directories = levels_.back().directories;
        const std::string name = directories.back();
        if (beforeEntering_ != nullptr) beforeEntering_((at_ / name).native());
        CurrentCall::note("openat", at_.native());
        FileDescriptor inside(::openat(current_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!inside.valid()) {
            // ENOTDIR, ELOOP: it was replaced by something else, which is removed too.
            if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) fail("openat", at_ / name);
            if (errno == ENOENT || removeFile(name)) directories.pop_back();
            return;
        }
        Level below = describe(inside);
        current_ = std::move(inside);
        at_ /= name;
        for (const std::string& item : list())
            if (!removeFile(item)) below.directories.push_back(item);
        levels_.push_back(std::move(below));
    }

    /// Reads the whole directory first, because removals would disturb the listing.
    [[nodiscard]] std::vector<std::string> list() const {
        FileDescriptor copy(::fcntl(current_.get(), F_DUPFD_CLOEXEC, 0));
        if (!copy.valid()) fail("fcntl", at_);
        const std::unique_ptr<DIR, DirectoryCloser> handle(::fdopendir(copy.get()));
        if (!handle) fail("fdopendir", at_);
        static_cast<void>(copy.release());  // closedir closes it
        std::vector<std::string> names;
        while (true) {
            errno = 0;  // readdir returns null at the end, too
            const dirent* const item = ::readdir(handle.get());
            if (item == nullptr) break;
            const std::string_view name = item->d_name;
            if (name != "." && name != "..") names.emplace_back(name);
        }
        if (errno != 0) fail("readdir", at_);
        return names;
    }

    void leave() {
        FileDescriptor above(::openat(current_.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!above.valid()) fail("openat", at_);
        const Level found = describe(above);
        levels_.pop_back();
        Level& expected = levels_.back();
        if (found.device != expected.device || found.inode != expected.inode) {
            errno = ESTALE;  // it was moved meanwhile to a place where we must not remove anything
            fail("openat", at_);
        }
        current_ = std::move(above);
        if (::unlinkat(current_.get(), expected.directories.back().c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
            fail("unlinkat", at_);
        expected.directories.pop_back();
        at_ = at_.parent_path();
    }

    std::filesystem::path at_;  ///< the current directory, for messages only
    const char* failureCode_;
    BeforeEntering beforeEntering_;
    FileDescriptor current_;
    std::vector<Level> levels_;
};

}  // namespace

void removeTree(const std::string& path, const char* failureCode, BeforeEntering beforeEntering) {
    std::filesystem::path whole = std::filesystem::path(path).lexically_normal();
    if (!whole.has_filename()) whole = whole.parent_path();
    const std::filesystem::path parent = whole.has_parent_path() ? whole.parent_path() : ".";
    Removal(parent, failureCode, beforeEntering).run(whole.filename().native());
}

}  // namespace domino_vss
