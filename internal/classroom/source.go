package classroom

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"sync"

	"coatcheck/internal"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
)

// The pages show the code that runs: it is part of the program, and nothing
// was copied by hand.

// A Declaration is a function, a type, or something else with a name, as it
// stands in a file, with its comment.
type Declaration struct {
	Name        string // "internal/sessions.Manager.SignIn"
	File        string // "internal/sessions/manager.go"
	First, Last int    // lines
}

// Short is the name without its package.
func (d Declaration) Short() string {
	_, short := splitName(d.Name)
	return short
}

// Address is where its first line is shown.
func (d Declaration) Address() string { return fmt.Sprintf("/learn/code/%s#L%d", d.File, d.First) }

// library is all of the source, read once, when somebody asks for it first.
type library struct {
	texts        map[string]string      // by file
	declarations map[string]Declaration // by name
	inFile       map[string][]Declaration

	mu          sync.Mutex
	highlighted map[string][]Line // the files that somebody has asked for
}

var theLibrary = sync.OnceValues(func() (*library, error) {
	l := &library{
		texts: map[string]string{}, declarations: map[string]Declaration{},
		inFile: map[string][]Declaration{}, highlighted: map[string][]Line{},
	}
	err := fs.WalkDir(internal.Source, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".go" {
			return err
		}
		text, err := internal.Source.ReadFile(name)
		if err != nil {
			return err
		}
		return l.add("internal/"+name, text)
	})
	return l, err
})

func (l *library) add(file string, text []byte) error {
	positions := token.NewFileSet()
	parsed, err := parser.ParseFile(positions, file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	add := func(name string, doc *ast.CommentGroup, node ast.Node) {
		first := node.Pos()
		if doc != nil {
			first = doc.Pos()
		}
		name = path.Dir(file) + "." + name
		d := Declaration{name, file, positions.Position(first).Line, positions.Position(node.End()).Line}
		l.declarations[name] = d
		l.inFile[file] = append(l.inFile[file], d)
	}
	for _, declared := range parsed.Decls {
		switch d := declared.(type) {
		case *ast.FuncDecl:
			add(receiver(d)+d.Name.Name, d.Doc, d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					add(s.Name.Name, d.Doc, d)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						add(name.Name, d.Doc, d)
					}
				}
			}
		}
	}
	l.texts[file] = string(text)
	return nil
}

// receiver is the type of a method, with a dot behind it.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	of := f.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name + "."
	}
	return "" // none of ours has type parameters
}

// splitName takes "internal/sessions.Manager.SignIn" apart behind the package.
func splitName(name string) (pkg, short string) {
	slash := strings.LastIndex(name, "/")
	pkg, short, _ = strings.Cut(name[slash+1:], ".")
	return name[:slash+1] + pkg, short
}

// Line is a line of source, highlighted.
type Line struct {
	Number int
	Code   template.HTML
}

// file gives a whole file, or nothing if there is none.
func (l *library) file(name string) ([]Line, error) {
	text, ok := l.texts[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if lines := l.highlighted[name]; lines != nil {
		return lines, nil
	}
	lines, err := highlight(text)
	if err != nil {
		return nil, err
	}
	l.highlighted[name] = lines
	return lines, nil
}

// Listing is a declaration with its source.
type Listing struct {
	Declaration
	Lines []Line
}

// listings give the source of declarations by their names.
func (l *library) listings(names []string) (all []Listing, err error) {
	for _, name := range names {
		d, ok := l.declarations[name]
		if !ok {
			return nil, fmt.Errorf("there is no %s in the source", name)
		}
		lines, err := l.file(d.File)
		if err != nil {
			return nil, err
		}
		all = append(all, Listing{d, lines[d.First-1 : d.Last]})
	}
	return all, nil
}

// highlight marks what kind of word each one is, line by line.
func highlight(text string) ([]Line, error) {
	tokens, err := chroma.Tokenise(lexers.Go, nil, text)
	if err != nil {
		return nil, err
	}
	var lines []Line
	for i, line := range chroma.SplitTokensIntoLines(tokens) {
		var b strings.Builder
		for _, t := range line {
			word := template.HTMLEscapeString(strings.TrimSuffix(t.Value, "\n"))
			if class := classOf(t.Type); class != "" {
				word = `<span class="` + class + `">` + word + `</span>`
			}
			b.WriteString(word)
		}
		lines = append(lines, Line{i + 1, template.HTML(b.String())}) // escaped above
	}
	return lines, nil
}

func classOf(t chroma.TokenType) string {
	switch {
	case t.InCategory(chroma.Comment):
		return "go-comment"
	case t.InCategory(chroma.Keyword):
		return "go-keyword"
	case t.InSubCategory(chroma.LiteralString):
		return "go-string"
	case t.InSubCategory(chroma.LiteralNumber):
		return "go-number"
	case t == chroma.NameFunction:
		return "go-function"
	}
	return ""
}
