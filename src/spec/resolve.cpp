#include "assay/spec/resolve.hpp"

#include <algorithm>
#include <iterator>
#include <regex>

#include "assay/base/errors.hpp"
#include "assay/base/text.hpp"
#include "assay/spec/print.hpp"
#include "assay/spec/vacuity.hpp"
#include "write_out.hpp"

namespace assay::spec {
namespace {

class Resolver {
 public:
  Resolver(Spec spec, std::string file, const ResolveInput& input)
      : spec_(std::move(spec)), file_(std::move(file)), input_(input) {}

  Spec run() {
    if (spec_.properties.empty()) {
      fail({1, 1}, "at least one property", "none: the spec is vacuous");
    }
    for (Use& use : spec_.uses) {
      resolve_use(use);
    }
    for (TokenClass& c : spec_.classes) {
      resolve_class(c);
    }
    for (Atom& atom : spec_.atoms) {
      resolve_atom(atom);
    }
    for (const Property& property : spec_.properties) {
      check_content(property);
    }
    write_out(spec_, file_);
    return std::move(spec_);
  }

 private:
  [[noreturn]] void fail(Place place, const std::string& expected, const std::string& found) const {
    throw UsageError(file_ + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) +
                     ": expected " + expected + ", found " + found);
  }

  void resolve_use(Use& use) const {
    Digest digest = input_.model;
    if (use.kind == "sae") {
      const auto found = input_.saes.find(use.name);
      require(found != input_.saes.end(), "resolve: a used sae was not loaded");
      digest = found->second->weights_digest;
    } else if (use.kind == "readout") {
      const auto found = input_.readouts.find(use.name);
      require(found != input_.readouts.end(), "resolve: a used readout was not loaded");
      digest = found->second;
    }
    if (use.sha256 && *use.sha256 != digest) {
      fail(use.place, use.kind + " " + use.name + " with sha256 " + use.sha256->hex(),
           digest.hex());
    }
    use.sha256 = digest;
  }

  const std::vector<TokenId>& ids_of(const std::string& class_name) const {
    return spec_.find_class(class_name)->ids;
  }

  TokenId token_of(const std::string& text, Place place) const {
    if (input_.tokenizer == nullptr) {
      fail(place, "a token id, for the model has no tokenizer.json", string_literal(text));
    }
    for (std::size_t t = 0; t < input_.tokenizer->size(); ++t) {
      if (input_.tokenizer->text(TokenId(t)) == text) {
        return TokenId(t);
      }
    }
    fail(place, "the whole text of one token of the model", string_literal(text));
  }

  std::vector<TokenId> matching(const TokenClass& c) const {
    if (input_.tokenizer == nullptr) {
      fail(c.place, "token ids, for the model has no tokenizer.json", "a regular expression");
    }
    std::vector<TokenId> ids;
    try {
      const std::regex expression(c.strings[0], std::regex::ECMAScript);
      for (std::size_t t = 0; t < input_.tokenizer->size(); ++t) {
        if (std::regex_match(input_.tokenizer->text(TokenId(t)), expression)) {
          ids.emplace_back(t);
        }
      }
    } catch (const std::regex_error& e) {
      fail(c.place, "an ECMAScript regular expression",
           "/" + visible(c.strings[0]) + "/ (" + e.what() + ")");
    }
    return ids;
  }

  std::vector<TokenId> combined(const TokenClass& c) const {
    const std::vector<TokenId>& left = ids_of(c.strings[0]);
    const std::vector<TokenId>& right = ids_of(c.strings[2]);
    std::vector<TokenId> ids;
    const auto into = std::back_inserter(ids);
    if (c.strings[1] == "|") {
      std::set_union(left.begin(), left.end(), right.begin(), right.end(), into);
    } else if (c.strings[1] == "&") {
      std::set_intersection(left.begin(), left.end(), right.begin(), right.end(), into);
    } else {
      std::set_difference(left.begin(), left.end(), right.begin(), right.end(), into);
    }
    return ids;
  }

  void resolve_class(TokenClass& c) const {
    if (c.form == TokenClass::Form::strings) {
      for (const std::string& text : c.strings) {
        c.ids.push_back(token_of(text, c.place));
      }
    } else if (c.form == TokenClass::Form::regex) {
      c.ids = matching(c);
    } else if (c.form == TokenClass::Form::combination) {
      c.ids = combined(c);
    }
    std::sort(c.ids.begin(), c.ids.end());
    c.ids.erase(std::unique(c.ids.begin(), c.ids.end()), c.ids.end());
    if (c.ids.empty()) {
      fail(c.place, "class " + c.name + " to hold a token of the model",
           "none: it would be vacuous");
    }
    if (c.ids.back().at() >= input_.vocabulary) {
      fail(c.place, "token ids below " + std::to_string(input_.vocabulary),
           std::to_string(c.ids.back().at()));
    }
    c.form = TokenClass::Form::ids;
    c.strings.clear();
  }

  void resolve_atom(Atom& atom) const {
    if (atom.kind == Atom::Kind::token_is) {
      if (!atom.token) {
        atom.token = token_of(atom.subject, atom.place);
      }
      if (atom.token->at() >= input_.vocabulary) {
        fail(atom.place, "a token id below " + std::to_string(input_.vocabulary),
             std::to_string(atom.token->at()));
      }
      atom.subject.clear();
    }
    if (atom.kind != Atom::Kind::feature) {
      return;
    }
    const Sae& sae = *input_.saes.at(atom.subject);
    if (!atom.feature) {
      if (atom.best_site != sae.hook_name) {
        fail(atom.place, "the input hook of " + atom.subject + ", \"" + sae.hook_name + "\"",
             string_literal(atom.best_site));
      }
      if (!input_.best_feature) {
        fail(atom.place, "a feature number, or --text to choose the best feature on",
             "best_feature without a text");
      }
      atom.feature = input_.best_feature(sae, ids_of(atom.best_class));
      atom.best_class.clear();
      atom.best_site.clear();
    }
    if (atom.feature->at() >= sae.d_sae) {
      fail(atom.place, "a feature of " + atom.subject + " below " + std::to_string(sae.d_sae),
           std::to_string(atom.feature->at()));
    }
  }

  void check_content(const Property& property) const {
    if (property.claim != Property::Claim::all) {
      return;  // no engine that reads resolved specs decides it, so nothing passes for it
    }
    Content what = Content::contingent;
    try {
      what = content(property.formula);
    } catch (const UsageError& e) {
      fail(property.place, "a property that can be compiled", property.name + ": " + e.what());
    }
    if (what == Content::valid) {
      fail(property.place, "a property that some run can violate",
           property.name + ", which is valid by itself: it is vacuous");
    }
    if (what == Content::unsatisfiable) {
      fail(property.place, "a property that some run can satisfy",
           property.name + ", which no run satisfies");
    }
  }

  Spec spec_;
  std::string file_;
  const ResolveInput& input_;
};

}  // namespace

Spec resolve(const Spec& spec, const std::string& file, const ResolveInput& input) {
  return Resolver(spec, file, input).run();
}

}  // namespace assay::spec
