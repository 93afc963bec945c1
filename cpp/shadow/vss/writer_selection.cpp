#include "shadow/vss/writer_selection.h"

#include <algorithm>
#include <string_view>

namespace domino_vss::vss {

namespace {

/// Writer names are in English, so ASCII case folding is sufficient.
char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool sameName(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, lower, lower);
}

bool startsWith(std::string_view text, std::string_view start) {
    return text.size() >= start.size() && sameName(text.substr(0, start.size()), start);
}

bool contains(std::string_view text, std::string_view part) {
    const auto same = [](char left, char right) { return lower(left) == lower(right); };
    // Not std::ranges::search: Clang 14, used for static analysis, cannot compile GCC 12's.
    return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

/// An entry of a list: a writer or one of its components.
struct Entry {
    explicit Entry(std::string_view text) : writer(text) {
        const std::size_t separator = text.find(":\\");
        if (separator == std::string_view::npos) return;
        writer = text.substr(0, separator);
        component = text.substr(separator + 1);
    }

    /// Whether it matches the writer, or a component of it.
    [[nodiscard]] bool means(const Writer& candidate) const {
        return meansWriter(candidate) &&
               (component.empty() ||
                std::ranges::any_of(candidate.metadata->components, [this](const WriterComponent& own) {
                    return sameName(own.fullPath(), component);
                }));
    }

    [[nodiscard]] bool meansWriter(const Writer& candidate) const {
        if (sameName(writer, candidate.name)) return true;
        const auto guid = parseGuid(writer);
        return guid && (*guid == candidate.id || *guid == candidate.instanceId);
    }

    std::string_view writer;
    std::string_view component;  ///< `\logical\path\name`; empty for the whole writer
};

bool isAncestor(const WriterComponent& ancestor, const WriterComponent& component) {
    return startsWith(component.fullPath(), ancestor.fullPath() + "\\");
}

bool hasAncestor(const Writer& writer, const WriterComponent& component, const std::vector<bool>& among) {
    for (std::size_t i = 0; i < writer.metadata->components.size(); ++i)
        if (among[i] && isAncestor(writer.metadata->components[i], component)) return true;
    return false;
}

class WriterSelection {
public:
    WriterSelection(Writer& writer, const WriterRules& rules) : writer_(writer), rules_(rules) {}

    void select() {
        const std::size_t count = writer_.metadata->components.size();
        const std::vector<bool> all(count, true);
        std::vector<bool> excluded(count);
        for (std::size_t i = 0; i < count; ++i) excluded[i] = isExcluded(writer_.metadata->components[i]);
        // A component set without one of its parts is incomplete, so its ancestors are excluded too.
        std::vector<bool> left = excluded;
        for (std::size_t i = 0; i < count; ++i)
            for (std::size_t j = 0; j < count && !left[i]; ++j)
                left[i] = excluded[j] && isAncestor(writer_.metadata->components[i], writer_.metadata->components[j]);

        std::vector<bool> includable(count);
        for (std::size_t i = 0; i < count; ++i) {
            const WriterComponent& component = writer_.metadata->components[i];
            const bool top = !hasAncestor(writer_, component, all);
            includable[i] = !left[i] && (component.selectable || top);
            if (left[i] && top && !component.selectable) return exclude();
        }
        if (std::ranges::none_of(includable, [](bool value) { return value; })) return exclude();
        for (std::size_t i = 0; i < count; ++i)
            if (includable[i] && !hasAncestor(writer_, writer_.metadata->components[i], includable))
                writer_.added.push_back(i);
    }

private:
    bool isExcluded(const WriterComponent& component) {
        const bool asked = std::ranges::any_of(rules_.exclude, [&](const std::string& text) {
            const Entry entry(text);
            return !entry.component.empty() && entry.meansWriter(writer_) &&
                   sameName(entry.component, component.fullPath());
        });
        const bool outside = std::ranges::any_of(
            component.files, [&](const FileSpecification& files) { return !rules_.inSet(files.path); });
        asked_ |= asked;
        outside_ |= outside;
        return asked || outside;
    }

    void exclude() {
        writer_.exclusion = outside_ ? Exclusion::componentOutsideSet
                            : asked_ ? Exclusion::asked
                                     : Exclusion::nothingToInclude;
    }

    Writer& writer_;
    const WriterRules& rules_;
    bool asked_ = false;
    bool outside_ = false;
};

bool takesPart(const Writer& writer, std::string_view component, const WriterRules& rules) {
    if (writer.exclusion != Exclusion::none) return false;
    if (component.empty()) return true;
    const auto found = std::ranges::find_if(
        writer.metadata->components, [&](const WriterComponent& own) { return sameName(own.fullPath(), component); });
    if (found == writer.metadata->components.end()) return false;
    if (!rules.componentMode) return true;
    return std::ranges::any_of(writer.added, [&](std::size_t index) {
        const WriterComponent& added = writer.metadata->components[index];
        return &added == &*found || isAncestor(added, *found);
    });
}

}  // namespace

std::string WriterComponent::fullPath() const {
    std::string_view directory = logicalPath;
    while (directory.starts_with('\\')) directory.remove_prefix(1);
    while (directory.ends_with('\\')) directory.remove_suffix(1);
    std::string path;
    if (!directory.empty()) path.append(1, '\\').append(directory);
    return path.append(1, '\\').append(name);
}

const char* exclusionName(Exclusion exclusion) noexcept {
    switch (exclusion) {
        case Exclusion::none: return "";
        case Exclusion::asked: return "asked";
        case Exclusion::domino: return "domino";
        case Exclusion::nothingToInclude: return "nothing to include";
        case Exclusion::componentOutsideSet: return "component outside the set";
    }
    return "";
}

bool Writer::failed() const noexcept {
    constexpr std::int32_t kFailedAtIdentify = 6;  // VSS_WRITER_STATE: the first of the failures
    return state >= kFailedAtIdentify || (failure & 0x80000000U) != 0;
}

bool isDominoWriter(const Writer& writer) {
    constexpr std::string_view kTask = "backupvss";
    for (const std::string& name : {writer.name, writer.instanceName})
        if (contains(name, "domino") || contains(name, kTask)) return true;
    return std::ranges::any_of(writer.metadata->components, [&](const WriterComponent& component) {
        return contains(component.name, kTask) || contains(component.logicalPath, kTask);
    });
}

bool isCountedOn(const Writer& writer, const WriterRules& rules) {
    return !writer.added.empty() ||
           std::ranges::any_of(rules.verify, [&](const std::string& text) { return Entry(text).meansWriter(writer); });
}

void excludeWriters(std::span<Writer> writers, const WriterRules& rules) {
    for (Writer& writer : writers) {
        const bool asked = std::ranges::any_of(rules.exclude, [&](const std::string& text) {
            const Entry entry(text);
            return entry.component.empty() && entry.meansWriter(writer);
        });
        if (asked)
            writer.exclusion = Exclusion::asked;
        else if (rules.excludeDomino && isDominoWriter(writer))
            writer.exclusion = Exclusion::domino;
    }
}

void selectComponents(std::span<Writer> writers, const WriterRules& rules) {
    for (Writer& writer : writers)
        if (writer.exclusion == Exclusion::none) WriterSelection(writer, rules).select();
}

std::vector<std::string> unmetVerify(std::span<const Writer> writers, const WriterRules& rules) {
    std::vector<std::string> unmet;
    std::ranges::copy_if(rules.verify, std::back_inserter(unmet), [&](const std::string& text) {
        const Entry entry(text);
        return std::ranges::none_of(writers, [&](const Writer& writer) {
            return entry.meansWriter(writer) && takesPart(writer, entry.component, rules);
        });
    });
    return unmet;
}

std::vector<std::string> unknownExclusions(std::span<const Writer> writers, const WriterRules& rules) {
    std::vector<std::string> unknown;
    std::ranges::copy_if(rules.exclude, std::back_inserter(unknown), [&](const std::string& text) {
        return std::ranges::none_of(writers,
                                    [entry = Entry(text)](const Writer& writer) { return entry.means(writer); });
    });
    return unknown;
}

std::vector<std::string> componentExclusions(const WriterRules& rules) {
    std::vector<std::string> components;
    std::ranges::copy_if(rules.exclude, std::back_inserter(components),
                         [](const std::string& text) { return !Entry(text).component.empty(); });
    return components;
}

}  // namespace domino_vss::vss
