import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Sends events from an NDJSON file to Tributary's log on Kafka: FILE BROKERS [REGISTRY].
 *
 * <p>Each line is an event as POST /v1/events takes it: its type and its fields. Without a registry a record carries the fingerprint of its
 * schema (Avro's single-object encoding), with one the number that the registry gave it (Confluent's framing).
 */
public final class Producer {
  /** Another with -Dtopic=NAME. */
  private static final String TOPIC = System.getProperty("topic", "tributary.events");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path schemas;
  private final String registry;
  private final HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
  private final Map<String, Schema> known = new HashMap<>();
  private final Map<Schema, Integer> numbers = new HashMap<>();

  private Producer(Path schemas, String registry) {
    this.schemas = schemas;
    this.registry = registry;
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length < 2 || arguments.length > 3) {
      System.err.println("usage: Producer FILE BROKERS [REGISTRY], in the root of the repository");
      System.exit(2);
    }
    Producer producer = new Producer(Path.of("schemas/avro"), arguments.length > 2 ? arguments[2] : null);
    // Keyed by creator, which Java's clients spread by murmur2: what a creator does stays in one order, whoever sends it.
    // Acknowledged by all copies, and sent again without being doubled: both are the defaults.
    Map<String, Object> settings = Map.of("bootstrap.servers", arguments[1], "linger.ms", 5);
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    try (var kafka = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
      int number = 0;
      for (String line : Files.readAllLines(Path.of(arguments[0]))) {
        number++;
        if (line.isBlank()) {
          continue;
        }
        try {
          JsonNode event = JSON.readTree(line);
          sent.add(kafka.send(new ProducerRecord<>(TOPIC, event.required("creator_id").textValue(), producer.encode(event))));
        } catch (IllegalArgumentException | JsonProcessingException wrong) {
          throw new IllegalArgumentException("line " + number + ": " + wrong.getMessage() + "; those before it were sent", wrong);
        }
      }
      kafka.flush();
      for (Future<RecordMetadata> one : sent) {
        one.get(60, TimeUnit.SECONDS);
      }
    }
    System.out.println(sent.size() + " acknowledged");
  }

  private byte[] encode(JsonNode event) throws IOException, InterruptedException {
    String type = event.required("type").textValue();
    Schema schema = schema(type);
    Map<String, JsonNode> fields = new LinkedHashMap<>();
    event.fields().forEachRemaining(field -> fields.put(field.getKey(), field.getValue()));
    fields.remove("type");
    GenericRecord record = record(schema, fields);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    if (registry == null) {
      new BinaryMessageEncoder<GenericRecord>(GenericData.get(), schema).encode(record, out);
    } else {
      out.writeBytes(ByteBuffer.allocate(5).put((byte) 0).putInt(number(type, schema)).array());
      BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
      new GenericDatumWriter<GenericRecord>(schema).write(record, encoder);
      encoder.flush();
    }
    return out.toByteArray();
  }

  private Schema schema(String type) throws IOException {
    if (!known.containsKey(type)) {
      known.put(type, new Schema.Parser().parse(schemas.resolve(type + ".avsc").toFile()));
    }
    return known.get(type);
  }

  /** The registry's number of the schema; one subject a type, since the topic holds them all. */
  private int number(String type, Schema schema) throws IOException, InterruptedException {
    if (!numbers.containsKey(schema)) {
      URI subject = URI.create(registry + "/subjects/" + TOPIC + "-" + schema.getFullName() + "/versions");
      String text = Files.readString(schemas.resolve(type + ".avsc")).strip();
      HttpRequest request = HttpRequest.newBuilder(subject).timeout(Duration.ofSeconds(30))
          .header("Content-Type", "application/vnd.schemaregistry.v1+json")
          .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(Map.of("schema", text)))).build();
      HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
      if (answer.statusCode() != 200) {
        throw new IOException(subject + " answers " + answer.statusCode() + ": " + answer.body());
      }
      numbers.put(schema, JSON.readTree(answer.body()).required("id").intValue());
    }
    return numbers.get(schema);
  }

  /** Whatever is no field is refused, not lost; what is not there takes its default. */
  private static GenericRecord record(Schema schema, Map<String, JsonNode> given) {
    GenericRecord record = new GenericData.Record(schema);
    for (Schema.Field field : schema.getFields()) {
      JsonNode value = given.remove(field.name());
      if (value == null && !field.hasDefaultValue()) {
        throw new IllegalArgumentException("a " + schema.getName() + " needs " + field.name());
      }
      record.put(field.pos(), value == null ? GenericData.get().getDefaultValue(field) : value(field.schema(), value));
    }
    if (!given.isEmpty()) {
      throw new IllegalArgumentException(given.keySet() + ": no field of a " + schema.getName());
    }
    return record;
  }

  private static Object value(Schema schema, JsonNode json) {
    switch (schema.getType()) {
      case UNION: // null, or what may be there
        return json.isNull() ? null : value(schema.getTypes().get(1), json);
      case RECORD: {
        Map<String, JsonNode> fields = new LinkedHashMap<>();
        json.fields().forEachRemaining(field -> fields.put(field.getKey(), field.getValue()));
        return record(schema, fields);
      }
      case ARRAY: {
        List<Object> items = new ArrayList<>();
        json.forEach(item -> items.add(value(schema.getElementType(), item)));
        return items;
      }
      case MAP: {
        Map<String, Object> entries = new LinkedHashMap<>();
        for (Iterator<String> names = json.fieldNames(); names.hasNext(); ) {
          String name = names.next();
          entries.put(name, value(schema.getValueType(), json.get(name)));
        }
        return entries;
      }
      case ENUM:
        return new GenericData.EnumSymbol(schema, json.textValue());
      case FIXED: // a token, as hexadecimal digits
        return new GenericData.Fixed(schema, HexFormat.of().parseHex(json.textValue()));
      case LONG:
        if (json.isIntegralNumber()) {
          return json.longValue();
        }
        break;
      case STRING:
        if (json.isTextual()) {
          return json.textValue();
        }
        break;
      case BOOLEAN:
        if (json.isBoolean()) {
          return json.booleanValue();
        }
        break;
      default:
    }
    throw new IllegalArgumentException(json + " is no " + schema.getType());
  }
}
