// Command oracle prints what Go's regexp says of patterns and texts made at random, a line each:
// the pattern, the text and the result, as Go strings with tabs between. The result is "refused",
// "none" or the offsets of the first match and its groups.
package main

import (
	"bufio"
	"fmt"
	"math/rand"
	"os"
	"regexp"
	"strconv"
	"strings"
)

var atoms = []string{
	"a", "b", "é", "世", "7", ".", "\\.", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "^", "$", "\\A", "\\z",
	"\\b", "\\B", "[ab]", "[^ab]", "[a-c]", "[\\s]", "[\\S]", "[^\\S]", "[\\d-]", "[]a]", "[^]a]", "[[:alpha:]]",
	"[[:^space:]]", "[[:space:]]", "[a\\-z]", "[-a]", "\\x41", "\\x{4e16}", "\\101", "\\0", "\\t", "\\n", "\\v", "\\f",
	"\\pL", "\\p{Greek}", "\\PN", "\\Qa.b\\E", "(a)", "(?:ab)", "(?P<n>b)", "(?<m>a)", "(?i)", "(?s)", "(?m)", "(?U)",
	"(?i:A)", "(?s:.)", "(?m:^b$)", "(?-i)", "\n", " ", "x{2}", "a{0,2}", "a{1,}", "b{,2}", "{", "}", "]", "a|b", "|",
	// What RE2 refuses.
	"\\1", "\\K", "\\G", "\\R", "\\h", "\\X", "\\Z", "\\C", "\\N", "\\e", "\\cA", "\\k<n>", "\\g1", "\\u0041", "(?=a)",
	"(?!a)", "(?<=a)", "(?<!a)", "(?>a)", "(?|a)", "(?#c)", "(?x)", "(?1)", "a++", "a*+", "a**", "a{2}{3}", "*", "+", "?",
	"a{1001}", "(a{100}){11}", "(", ")", "[", "[z-a]", "[a-\\d]", "[\\b]", "(?P<n>", "(?P<>a)", "\\", "\\q", "[[.a.]]",
	"\\x4", "\\x{}", "(?i", "(?", "(*FAIL)", "[[:nope:]]", "a{2,1}", "\\p{Nope}", "\\E",
}

var repeats = []string{"", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0}"}

var texts = []string{
	"", "a", "b", "ab", "aab", "abab", "a\nb", "b\n", "\n", "a b", " \v\t", "A", "é", "世界", "7a7", "a.b", "x{2}xx",
	"b{,2}", "{}]", "aaa", "Ελλ", "-a", "]", "\x00", "a|b", "\\",
}

func main() {
	random := rand.New(rand.NewSource(11))
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for i := 0; i < 2500; i++ {
		var pattern strings.Builder
		for n := 1 + random.Intn(4); n > 0; n-- {
			atom := atoms[random.Intn(len(atoms))]
			if i < len(atoms) {
				atom = atoms[i]
				n = 1
			}
			pattern.WriteString(atom)
			// Flags are not repeated: to RE2 that repeats what stands before them.
			isFlags := strings.HasPrefix(atom, "(?") && strings.HasSuffix(atom, ")") && len(atom) < 6
			if i >= len(atoms) && !isFlags {
				pattern.WriteString(repeats[random.Intn(len(repeats))])
			}
		}
		compiled, err := regexp.Compile(pattern.String())
		for k := 0; k < 3; k++ {
			text := texts[random.Intn(len(texts))]
			result := "refused"
			if err == nil {
				result = "none"
				if found := compiled.FindStringSubmatchIndex(text); found != nil {
					result = strings.Trim(fmt.Sprint(found), "[]")
				}
			}
			fmt.Fprintf(out, "%s\t%s\t%s\n", strconv.Quote(pattern.String()), strconv.Quote(text), result)
			if err != nil {
				break
			}
		}
	}
}
