"A macro for functions whose arguments carry their documentation: the Hy half of documented.py."

(import helpers.documented [docstring])


(defmacro mydef [name arguments #* body]
  "Define the function `name`, each of its `arguments` written [argument \"what it is\"].

  An argument is whatever `defn` takes: a symbol, [symbol default], #^ type symbol, #* or #** symbol.
  A bare / or * separates them, as in `defn`. A string that leads the body heads the docstring."
  (setv summary (when (and (> (len body) 1) (isinstance (get body 0) hy.models.String))
                  (str (get body 0)))
        pairs (lfor item arguments (if (in item '[/ *]) [item None] (documented-pair name item)))
        documents (dfor [argument text] pairs :if text  (argument-name argument) (str text)))
  `(defn [(hy.I.helpers/documented.with-arguments ~documents)] ~name [~@(lfor [argument _] pairs argument)]
     ~(docstring summary documents)
     ~@(or (if summary (cut body 1 None) body) '[None])))


(defn documented-pair [function pair]
  "`pair`, if it is an argument and a text that describes it."
  (when (not (and (isinstance pair hy.models.Sequence) (= (len pair) 2)
                  (isinstance (get pair 1) hy.models.String) (get pair 1)))
    (raise (ValueError (.format "mydef {}: {} is not documented; write [argument \"what it is\"]"
                                function (cut (hy.repr pair) 1 None)))))
  pair)


(defn argument-name [argument]
  "The name, as Python spells it, of an argument that may have a default, a type or a star."
  (cond (isinstance argument hy.models.Symbol) (hy.mangle argument)
        (and (isinstance argument hy.models.List) argument) (argument-name (get argument 0))  ; [symbol default]
        (and (isinstance argument hy.models.Expression) argument) (argument-name (get argument 1))  ; #^ #* #**
        True (raise (ValueError (.format "mydef: {} is no argument" (cut (hy.repr argument) 1 None))))))
