#pragma once
// The XML of Backup Components Documents and writer metadata documents: elements and attributes, without text content.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vss_simulator {

struct Element {
    std::string name;
    std::vector<std::pair<std::string, std::string>> attributes;
    std::vector<Element> children;

    /** Empty if it is missing. */
    std::string operator[](std::string_view attribute) const;
    bool flag(std::string_view attribute) const { return (*this)[attribute] == "yes"; }
    /** 0 if it is missing. */
    long number(std::string_view attribute) const;
    Element& set(std::string_view attribute, std::string_view value);
    Element& setFlag(std::string_view attribute, bool value) { return set(attribute, value ? "yes" : "no"); }
    Element& add(std::string_view child);
    std::vector<const Element*> all(std::string_view child) const;
};

std::string printXml(const Element& root);
/**
 * Accepts documents rewritten by other programs: declaration, comments, white space. Throws VSS_E_INVALID_XML_DOCUMENT.
 */
Element parseXml(std::string_view text);

}  // namespace vss_simulator
